import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { BillingError } from '../../domain/errors.ts';

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
/** Of the fixed part of each record (APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16). */
const SIZES = { local: 30, entry: 46, end: 22 };
const METHODS = { stored: 0, deflated: 8 };

/** The bytes of one file in a zip archive; a wheel is one, and not every machine has `unzip`. */
export async function readZipFile(zip: Buffer, name: string): Promise<Buffer> {
  for (const entry of listEntries(zip)) {
    if (entry.name !== name) continue;
    const nameLength = zip.readUInt16LE(entry.offset + 26);
    const extraLength = zip.readUInt16LE(entry.offset + 28);
    const start = entry.offset + SIZES.local + nameLength + extraLength;
    const packed = zip.subarray(start, start + entry.packedBytes);
    if (entry.method === METHODS.stored) return packed;
    if (entry.method !== METHODS.deflated) break;
    return await promisify(inflateRaw)(packed, { maxOutputLength: entry.bytes });
  }
  throw new BillingError('unavailable', `the archive has no ${name} that can be read`);
}

interface Entry {
  name: string;
  method: number;
  packedBytes: number;
  bytes: number;
  offset: number;
}

/** By the directory at the archive's end, which alone is sure to know the sizes. */
function listEntries(zip: Buffer): Entry[] {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0 || end + SIZES.end > zip.length || zip.readUInt32LE(end) !== END_SIGNATURE) {
    throw new BillingError('unavailable', 'the archive is no zip file, or a part of one');
  }
  const entries: Entry[] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (zip.readUInt32LE(at) !== ENTRY_SIGNATURE) break;
    const nameLength = zip.readUInt16LE(at + 28);
    entries.push({
      name: zip.toString('utf8', at + SIZES.entry, at + SIZES.entry + nameLength),
      method: zip.readUInt16LE(at + 10),
      packedBytes: zip.readUInt32LE(at + 20),
      bytes: zip.readUInt32LE(at + 24),
      offset: zip.readUInt32LE(at + 42),
    });
    at += SIZES.entry + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return entries;
}
