/** What went wrong, in one sentence for a person and one code for a machine. */
import { BillingError } from '../../domain/errors.ts';

export interface Failure {
  code: string;
  message: string;
}

const notConnected = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
]);
const credentialErrors = new Set([
  'CredentialsProviderError',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredTokenException',
  'AccessDeniedException',
  'AccessDenied',
  'Forbidden',
]);
const setUp = 'run `durabill setup`';

/** Every error as a sentence; what is not known is `internal`. */
export function describeFailure(error: unknown): Failure {
  for (const one of causes(error)) {
    const known = describeKnown(one);
    if (known !== undefined) return known;
  }
  return { code: 'internal', message: messageOf(error) };
}

/** True when nothing answered: refused, unknown host, timeout. */
export function isUnreachable(error: unknown): boolean {
  return causes(error).some((one) => {
    const code = 'code' in one ? one.code : undefined;
    if (typeof code === 'string' && notConnected.has(code)) return true;
    return one.name === 'TimeoutError' || one.message.includes('socket hang up');
  });
}

function describeKnown(error: Error): Failure | undefined {
  if (error instanceof BillingError) return { code: error.code, message: error.message };
  const { name, message } = error;
  if (name === 'ResourceNotFoundException') {
    return { code: 'not_found', message: `a table or its index is missing: ${setUp}` };
  }
  if (name === 'NoSuchBucket') {
    return { code: 'not_found', message: `the bucket is missing: ${setUp}` };
  }
  if (credentialErrors.has(name)) {
    const advice = 'check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do';
    return { code: 'unauthorized', message: `AWS refuses the credentials (${message}): ${advice}` };
  }
  if ('type' in error && typeof error.type === 'string' && error.type.startsWith('Stripe')) {
    return describeStripe(error.type, message);
  }
  return describeTemporal(error);
}

function describeStripe(type: string, message: string): Failure {
  if (type === 'StripeConnectionError') {
    const advice = 'is the network up, and STRIPE_API_BASE right?';
    return { code: 'unavailable', message: `Stripe does not answer (${message}): ${advice}` };
  }
  if (type === 'StripeAuthenticationError' || type === 'StripePermissionError') {
    const advice = 'check STRIPE_SECRET_KEY';
    return { code: 'unauthorized', message: `Stripe refuses the key (${message}): ${advice}` };
  }
  return { code: 'unavailable', message: `Stripe: ${message}` };
}

/** gRPC errors, by their numbers: the SDK need not be loaded for it. */
function describeTemporal(error: Error): Failure | undefined {
  if (!('code' in error) || !('details' in error) || typeof error.code !== 'number') {
    return undefined;
  }
  const details = String(error.details);
  if (/search attribute/i.test(details)) {
    return { code: 'not_found', message: `Temporal: ${details}: ${setUp}` };
  }
  if (error.code === 4 || error.code === 14) {
    const advice = 'is it running, and TEMPORAL_ADDRESS right?';
    return { code: 'unavailable', message: `Temporal does not answer (${details}): ${advice}` };
  }
  if (error.code === 7 || error.code === 16) {
    return { code: 'unauthorized', message: `Temporal refuses us: ${details}` };
  }
  if (error.code === 5 && /namespace/i.test(details)) {
    return { code: 'not_found', message: `Temporal: ${details} (TEMPORAL_NAMESPACE names it)` };
  }
  return { code: 'internal', message: `Temporal: ${details}` };
}

/** An error, its causes and those gathered in it, outermost first. */
function causes(error: unknown): Error[] {
  const found: Error[] = [];
  let current: unknown = error;
  while (current instanceof Error && found.length < 8) {
    found.push(current);
    const gathered = current instanceof AggregateError ? current.errors : [];
    found.push(...gathered.filter((one): one is Error => one instanceof Error).slice(0, 4));
    current = current.cause;
  }
  return found;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { name, message } = error;
  return message === '' || message === 'UnknownError' ? `${name} without a message` : message;
}
