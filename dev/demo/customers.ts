/** The demo's customers and their files: made up, always the same, and real bytes. */
import { DEMO_CUSTOMER_ID } from '../stack/stack-file.ts';

interface DemoJob {
  /** Ends the processing's id: `demo-<customer>-<name>-<run>`. */
  name: string;
  files: readonly DemoFile[];
}

interface DemoFile {
  name: string;
  body: () => string;
}

export interface DemoCustomer {
  customerId: string;
  shortName: string;
  name: string;
  /** Has paid a checkout and has a subscription, the others have none. */
  pays?: true;
  jobs: readonly DemoJob[];
}

/** What the first customer casts over HTTP, with its size in bytes. */
export const castFile = { key: 'sensor/reading.bin', bytes: 1024 };

export const demoCustomers: readonly DemoCustomer[] = [
  {
    customerId: DEMO_CUSTOMER_ID,
    shortName: 'aurora',
    name: 'Aurora Labs',
    jobs: [
      { name: 'sensor', files: [{ name: castFile.key, body: () => 'A'.repeat(castFile.bytes) }] },
      {
        name: 'survey',
        files: [
          { name: 'survey/north.csv', body: () => csv(1000, 3) },
          { name: 'survey/south.csv', body: () => csv(2000, 5) },
          { name: 'survey/notes.txt', body: () => 'Two stations were moved in March.\n' },
        ],
      },
    ],
  },
  {
    customerId: 'cus_DemoBasalt',
    shortName: 'basalt',
    name: 'Basalt Media',
    pays: true,
    jobs: [
      { name: 'access-log', files: [{ name: 'logs/access.log', body: () => log(12_000) }] },
      { name: 'catalogue', files: [{ name: 'catalogue.json', body: () => json(1500) }] },
    ],
  },
  {
    customerId: 'cus_DemoCedar',
    shortName: 'cedar',
    name: 'Cedar Health',
    jobs: [
      {
        name: 'claims',
        files: Array.from({ length: 12 }, (_, month) => ({
          name: `claims/2026-${String(month + 1).padStart(2, '0')}.csv`,
          body: () => csv(800, month + 7),
        })),
      },
    ],
  },
];

function csv(rows: number, seed: number): string {
  const lines = Array.from({ length: rows }, (_, row) => {
    const value = (row * 7919 + seed * 104_729) % 100_000;
    return `${row},2026-03-${String((row % 28) + 1).padStart(2, '0')},station-${(row * seed) % 40},${value / 100}`;
  });
  return `id,day,station,value\n${lines.join('\n')}\n`;
}

function log(lines: number): string {
  return Array.from({ length: lines }, (_, line) => {
    const seconds = String(line % 60).padStart(2, '0');
    return `203.0.113.${line % 250} - - [14/Mar/2026:09:${String(line % 59).padStart(2, '0')}:${seconds} +0000] "GET /video/${(line * 31) % 997} HTTP/1.1" 200 ${(line * 137) % 90_000}\n`;
  }).join('');
}

function json(items: number): string {
  const catalogue = Array.from({ length: items }, (_, item) => ({
    sku: `BM-${10_000 + item}`,
    title: `Recording ${item}`,
    seconds: (item * 37) % 5400,
  }));
  return JSON.stringify(catalogue, undefined, 1);
}
