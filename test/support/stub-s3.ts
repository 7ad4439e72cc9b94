/** Answers listings as some stores write them: sorted by bytes, in pages, in the XML that it is told to write. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StubOptions {
  /** Each key with its size. */
  objects: ReadonlyMap<string, number>;
  /** How a key stands in the XML when it is not URL-encoded. */
  write: (key: string) => string;
  /** Whether `encoding-type=url` is honoured. */
  encodes: boolean;
  /** `name`: the last key as it stands in the XML; `opaque`: nothing that a caller could read. */
  token: 'name' | 'opaque';
}

export interface StubS3 {
  url: string;
  /** Query strings that were asked. */
  asked: URLSearchParams[];
  stop: () => Promise<void>;
}

const pageSize = 1000;
const bytewise = (one: string, other: string): number =>
  Buffer.compare(Buffer.from(one), Buffer.from(other));

export async function startStubS3(options: StubOptions): Promise<StubS3> {
  const keys = [...options.objects.keys()].toSorted(bytewise);
  const asked: URLSearchParams[] = [];
  const server = createServer((req, res) => {
    const query = new URL(req.url ?? '/', 'http://stub').searchParams;
    asked.push(query);
    const body = req.method === 'HEAD' ? '' : answerList(options, keys, query);
    res.writeHead(200, { 'content-type': 'application/xml' }).end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerList(
  { objects, write, encodes, token }: StubOptions,
  keys: readonly string[],
  query: URLSearchParams,
): string {
  const prefix = query.get('prefix') ?? '';
  const given = query.get('continuation-token');
  const after =
    given === null
      ? (query.get('start-after') ?? '')
      : token === 'name'
        ? given
        : Buffer.from(given, 'base64url').toString();
  const rest = keys.filter((key) => key.startsWith(prefix) && bytewise(key, after) > 0);
  const page = rest.slice(0, pageSize);
  const isEncoded = encodes && query.get('encoding-type') === 'url';
  const named = (key: string): string =>
    isEncoded ? encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+') : write(key);
  const last = page.at(-1) ?? '';
  const next = token === 'name' ? named(last) : Buffer.from(last).toString('base64url');
  const contents = page.map(
    (key) => `<Contents><Key>${named(key)}</Key><Size>${objects.get(key) ?? 0}</Size></Contents>`,
  );
  const isTruncated = rest.length > page.length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>',
    `<IsTruncated>${isTruncated}</IsTruncated>`,
    isEncoded ? '<EncodingType>url</EncodingType>' : '',
    isTruncated ? `<NextContinuationToken>${next}</NextContinuationToken>` : '',
    ...contents,
    '</ListBucketResult>',
  ].join('');
}
