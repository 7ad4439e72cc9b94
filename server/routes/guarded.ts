/** What the routes behind the door have in common in the document. */
import { z } from '@hono/zod-openapi';

export const forCustomers = { 'x-who': 'customers', security: [{ apiKey: [] }] };
export const forOperators = { 'x-who': 'operators', security: [{ adminToken: [] }] };
export const forBoth = {
  'x-who': 'customers, operators',
  security: [{ apiKey: [] }, { adminToken: [] }],
};

/** Errors that any of them may answer. */
export const guarded = {
  unauthorized: 'the key or token is missing, wrong or deleted',
  forbidden: 'not with this key or token',
  rate_limited: 'more requests in a minute than the key may make',
  unavailable: 'what is needed does not answer: try again',
  internal: 'something went wrong on our side',
};

/** Of a body in JSON. */
export const badBody = {
  invalid_request: 'the body is not as described',
  too_large: 'the body is too large',
};

export const isoTime = z.string().openapi({ description: 'ISO 8601, UTC' });
