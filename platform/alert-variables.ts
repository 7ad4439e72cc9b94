/** The variables of alerts to the outside (GA16). */
import { z } from 'zod';
import { hostOf, isForbiddenAddress } from './outside-address.ts';

/** 24 to 64 bytes (Standard Webhooks). */
const secret = 'whsec_[A-Za-z0-9+/]{32,86}={0,2}';

export const alertVariables = {
  ALERT_WEBHOOK_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .refine((url) => !isForbiddenAddress(hostOf(new URL(url))), {
      error: 'must not be a link-local or metadata address',
    })
    .optional()
    .describe('where alerts are sent, signed; without it they are log lines and metrics'),
  ALERT_WEBHOOK_SECRET: z
    .string()
    .regex(
      new RegExp(`^${secret}(,${secret})*$`),
      'must be whsec_ and 24 to 64 bytes in base64, or several, comma-separated',
    )
    .optional()
    .describe('signs the alerts (Standard Webhooks); comma-separated during rotation'),
};

/** A receiver must be able to tell our alerts from anybody's. */
export function lacksAlertSecret(config: {
  ALERT_WEBHOOK_URL?: string | undefined;
  ALERT_WEBHOOK_SECRET?: string | undefined;
}): boolean {
  return config.ALERT_WEBHOOK_URL !== undefined && config.ALERT_WEBHOOK_SECRET === undefined;
}
