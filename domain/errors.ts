/**
 * The one error type of the product. `code` is for machines (the HTTP table and the CLI's exit code
 * hang on it), `message` is for a person and says what to do.
 */
export type BillingErrorCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'budget_exceeded'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'rate_limited'
  | 'billing_disabled'
  | 'unavailable';

export class BillingError extends Error {
  readonly code: BillingErrorCode;

  constructor(code: BillingErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'BillingError';
    this.code = code;
  }
}
