/** Log-like text that gzip makes about a quarter of; the same bytes every time. */
import { createHash } from 'node:crypto';

/** Longer than gzip's window of 32 KB, so that repeating it is as hard as fresh text. */
const blockBytes = 4 * 1024 * 1024;
/** What a socket hands out at a time. */
const pieceBytes = 64 * 1024;

function createBlock(): Buffer {
  const lines: string[] = [];
  let length = 0;
  for (let index = 0; length < blockBytes; index += 1) {
    const hash = createHash('md5').update(String(index)).digest('hex');
    const line = `{"at":"2026-11-21T14:00:00.${index % 1000}Z","request":"${hash}","status":${200 + (index % 7)}}\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, blockBytes);
}

/** The content in pieces, from memory. */
export function* largeContent(bytes: number): Generator<Buffer> {
  const block = createBlock();
  for (let sent = 0; sent < bytes;) {
    const at = sent % blockBytes;
    const size = Math.min(pieceBytes, blockBytes - at, bytes - sent);
    yield block.subarray(at, at + size);
    sent += size;
  }
}
