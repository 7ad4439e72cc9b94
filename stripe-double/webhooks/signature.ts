import { createHmac } from 'node:crypto';

/** The `Stripe-Signature` header: HMAC-SHA256 of `<seconds>.<payload>` by the endpoint's secret. */
export function signatureHeader(payload: string, secret: string, atSeconds: number): string {
  const signature = createHmac('sha256', secret).update(`${atSeconds}.${payload}`).digest('hex');
  return `t=${atSeconds},v1=${signature}`;
}

/** Signatures are of the machine's time, whatever the double's clock says: receivers check it. */
export function machineSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
