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
  /** Figures for machines, told beside the message. */
  readonly fields: Readonly<Record<string, string | number>>;

  constructor(
    code: BillingErrorCode,
    message: string,
    options: { cause?: unknown; fields?: Readonly<Record<string, string | number>> } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.fields = options.fields ?? {};
    this.name = 'BillingError';
    this.code = code;
  }
}
