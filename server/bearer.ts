/** `Authorization: Bearer …` against a secret of ours. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** What stands behind `Bearer`; undefined when the header is missing or of another form. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^bearer +(.*)$/i.exec(authorization ?? '')?.[1];
}

/** Digests are equally long, so that the time of comparing them tells nothing of the secret. */
export function isBearer(authorization: string | undefined, secret: string): boolean {
  const given = bearerOf(authorization);
  return given !== undefined && timingSafeEqual(digest(given), digest(secret));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
