import { invalidParameter } from './errors.ts';

/** A parameter as it stands on the wire: text, a hash or a list. */
export type FormValue = string | FormObject | FormValue[];
export type FormObject = { [key: string]: FormValue };

const keyPattern = /^([^[\]]+)((?:\[[^[\]]*\])*)$/;
const maximumDepth = 10;

/** Stripe's form encoding (v1 bodies and query strings): `a[b][]=1&a[b][]=2&c[0]=3`. */
export function parseForm(text: string): FormObject {
  const root: Tree = new Map();
  for (const [key, value] of new URLSearchParams(text)) insert(root, segmentsOf(key), value);
  return toObject(root);
}

/** The leaves of a request with their names as they stand on the wire, sorted by name. */
export function flatten(value: FormValue, name = ''): [string, string][] {
  if (typeof value === 'string') return [[name, value]];
  const children = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return children
    .flatMap(([key, child]) => flatten(child, name === '' ? String(key) : `${name}[${key}]`))
    .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}

type Tree = Map<string, Tree | string>;

function segmentsOf(key: string): string[] {
  const match = keyPattern.exec(key);
  if (match === null) throw invalidParameter(key, `Invalid parameter name: ${key}`);
  const [, head = '', rest = ''] = match;
  const segments = [head, ...[...rest.matchAll(/\[([^[\]]*)\]/g)].map(([, name = '']) => name)];
  if (segments.length > maximumDepth) throw invalidParameter(head, `Too deeply nested: ${head}`);
  return segments;
}

function insert(tree: Tree, segments: readonly string[], value: string): void {
  const [first = '', ...rest] = segments;
  const key = first === '' ? String(tree.size) : first;
  if (rest.length === 0) {
    tree.set(key, value);
    return;
  }
  const child = tree.get(key);
  if (child instanceof Map) {
    insert(child, rest, value);
    return;
  }
  const created: Tree = new Map();
  tree.set(key, created);
  insert(created, rest, value);
}

function toValue(node: Tree | string): FormValue {
  if (typeof node === 'string') return node;
  const keys = [...node.keys()];
  const isList = keys.length > 0 && keys.every((key, index) => key === String(index));
  return isList ? [...node.values()].map(toValue) : toObject(node);
}

function toObject(tree: Tree): FormObject {
  // Entries define own properties, so that a parameter named __proto__ is only a parameter.
  return Object.fromEntries([...tree].map(([key, node]) => [key, toValue(node)]));
}
