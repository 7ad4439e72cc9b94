/** `Authorization: Bearer …` against a secret of ours. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Digests are equally long, so that the time of comparing them tells nothing of the secret. */
export function isBearer(authorization: string | undefined, secret: string): boolean {
  const [, given] = /^bearer +(.*)$/i.exec(authorization ?? '') ?? [];
  return given !== undefined && timingSafeEqual(digest(given), digest(secret));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
