/** The types of error that Stripe's v1 API knows (https://docs.stripe.com/api/errors). */
type ErrorType = 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';

type Details = {
  type?: ErrorType;
  code?: string;
  param?: string;
  saved?: boolean;
  /** Further fields of the error, such as `decline_code` and `payment_intent`. */
  extra?: Record<string, unknown>;
};

/** An answer that is not 2xx, in Stripe's shape. */
export class StripeError extends Error {
  readonly status: number;
  readonly type: ErrorType;
  readonly code: string | undefined;
  readonly param: string | undefined;
  /** Whether it is kept under the idempotency key: only what the endpoint itself decided is. */
  readonly saved: boolean;
  readonly #extra: Record<string, unknown>;

  constructor(status: number, message: string, details: Details = {}) {
    super(message);
    this.name = 'StripeError';
    this.status = status;
    this.type = details.type ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
    this.code = details.code;
    this.param = details.param;
    this.saved = details.saved ?? false;
    this.#extra = details.extra ?? {};
  }

  get body(): { error: Record<string, unknown> } {
    return {
      error: {
        ...(this.code === undefined ? {} : { code: this.code }),
        message: this.message,
        ...(this.param === undefined ? {} : { param: this.param }),
        type: this.type,
        ...this.#extra,
      },
    };
  }
}

/** A parameter was refused before the endpoint ran; not saved (docs: idempotent requests). */
export function invalidParameter(param: string, message: string, code?: string): StripeError {
  return new StripeError(400, message, { param, ...(code === undefined ? {} : { code }) });
}

/** The endpoint ran and refused; saved under the idempotency key. */
export function refused(message: string, details: { code?: string; param?: string } = {}) {
  return new StripeError(400, message, { ...details, saved: true });
}

/** The object in the path (404) or in a parameter (400) does not exist. */
export function noSuch(noun: string, id: string, param: string, status: 400 | 404): StripeError {
  return new StripeError(status, `No such ${noun}: '${id}'`, {
    code: 'resource_missing',
    param,
    saved: true,
  });
}
