/** The page at `/docs`: the OpenAPI document, written as HTML. Nothing is loaded, nothing runs. */
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import { z } from 'zod';
import { docsStyle } from './docs-style.ts';
import { shapeOf } from './docs-shape.ts';
import type { ApiDocument } from './openapi.ts';

/** One stylesheet by its hash, no script, no picture, no frame. */
export const contentPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(docsStyle).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const contentSchema = z.record(z.string(), z.object({ schema: z.unknown() }));

const parameterSchema = z.object({
  name: z.string(),
  in: z.string(),
  required: z.boolean().default(false),
  schema: z.unknown(),
  description: z.string().optional(),
});

const operationSchema = z.object({
  summary: z.string(),
  description: z.string().optional(),
  tags: z.tuple([z.string()]),
  'x-who': z.string(),
  security: z.array(z.record(z.string(), z.unknown())).default([]),
  parameters: z.array(parameterSchema).default([]),
  requestBody: z
    .object({ content: contentSchema, required: z.boolean().default(false) })
    .optional(),
  responses: z.record(
    z.string(),
    z.object({ description: z.string(), content: contentSchema.default({}) }),
  ),
});

/** Of the document, what the page shows. A route without these is a fault, not a gap in the page. */
const documentSchema = z.object({
  openapi: z.string(),
  info: z.object({ title: z.string(), version: z.string(), description: z.string() }),
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.object({
    schemas: z.record(z.string(), z.unknown()),
    securitySchemes: z.record(
      z.string(),
      z.object({
        type: z.string(),
        name: z.string().default('Authorization: Bearer'),
        description: z.string(),
      }),
    ),
  }),
});

type Parameter = z.infer<typeof parameterSchema>;
type Operation = z.infer<typeof operationSchema> & { method: string; path: string };
type Schemes = z.infer<typeof documentSchema>['components']['securitySchemes'];
type Html = ReturnType<typeof html>;

/** Content types, each with the shape of what it holds. */
function contentOf(content: z.infer<typeof contentSchema>): Html[] {
  return Object.entries(content).map(
    ([type, { schema }]) => html`<span class="type">${type}</span> <code>${shapeOf(schema)}</code>`,
  );
}

/** What stands in the address: `limit?: integer (query)`. */
function parameterLine({ name, required, schema, description, ...at }: Parameter): Html {
  const told = description === undefined ? at.in : `${at.in}: ${description}`;
  return html`<code>${name}${required ? '' : '?'}: ${shapeOf(schema)}</code>
    <span class="type">${told}</span><br />`;
}

function answerRow(status: string, answer: Operation['responses'][string]): Html {
  const kind = status.startsWith('2') ? 'good' : 'bad';
  return html`<tr>
    <th scope="row"><span class="status ${kind}">${status}</span></th>
    <td>${answer.description}<br />${contentOf(answer.content)}</td>
  </tr>`;
}

function operationCard(operation: Operation, schemes: Schemes): Html {
  const { method, path, summary, description, parameters, requestBody, responses } = operation;
  const proofs = operation.security
    .flatMap((need) => Object.keys(need))
    .map((name) => {
      const scheme = schemes[name];
      return html`, by <code>${scheme?.name ?? name}</code> (${scheme?.description ?? ''})`;
    });
  const rows = Object.entries(responses).map(([status, answer]) => answerRow(status, answer));
  return html`<article>
    <h3><span class="method">${method.toUpperCase()}</span> <code>${path}</code></h3>
    <p class="what">${summary}</p>
    ${description === undefined ? '' : html`<p>${description}</p>`}
    <dl>
      <dt>Who</dt>
      <dd>${operation['x-who']}${proofs}</dd>
      ${
        parameters.length === 0
          ? ''
          : html`<dt>Takes</dt>
              <dd>${parameters.map(parameterLine)}</dd>`
      }
      ${
        requestBody === undefined
          ? ''
          : html`<dt>Body</dt>
              <dd>
                ${requestBody.required ? '' : 'may be left out; '}${contentOf(requestBody.content)}
              </dd>`
      }
    </dl>
    <table>
      <caption>
        Answers
      </caption>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </article>`;
}

function groupOf(tag: { name: string; description: string }, cards: Html[]): Html {
  return html`<section>
    <h2>${tag.name}</h2>
    <p class="soft">${tag.description}</p>
    ${cards}
  </section>`;
}

function shapeEntry([name, schema]: [string, unknown]): Html {
  return html`<dt><code>${name}</code></dt>
    <dd><code>${shapeOf(schema)}</code></dd>`;
}

/** The whole page. Every value is escaped by hono's html helper. Throws when the document lacks a part. */
export async function renderDocsPage(document: ApiDocument): Promise<string> {
  const { openapi, info, tags, paths, components } = documentSchema.parse(document);
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method, path })),
  );
  const groups = tags.map((tag) => {
    const own = operations.filter((operation) => operation.tags[0] === tag.name);
    return groupOf(
      tag,
      own.map((operation) => operationCard(operation, components.securitySchemes)),
    );
  });
  const shapes = Object.entries(components.schemas).map(shapeEntry);
  const page = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title}: the HTTP API</title>
        <link rel="icon" href="data:," />
        ${raw(`<style>${docsStyle}</style>`)}
      </head>
      <body>
        <header>
          <h1>${info.title}: the HTTP API</h1>
          <p>${info.description}</p>
          <p class="soft">
            Version ${info.version}, OpenAPI ${openapi}. For tools:
            <a href="/openapi.json">/openapi.json</a>. To send requests:
            <a href="/docs/try">/docs/try</a>
          </p>
        </header>
        <main>
          ${groups}
          <section>
            <h2>Shapes</h2>
            <dl class="shapes">${shapes}</dl>
          </section>
        </main>
      </body>
    </html>`;
  return String(page);
}
