/** A process that resolves the fake tool of the folder in its argument: two of them build at once. */
import { resolveDefinition } from '../../../dev/tools/resolve.ts';
import { emptyEnvironment, fakeTool } from './fake-tool.ts';

const folder = process.argv[2] ?? '';
const environment = emptyEnvironment(folder);
const { command } = await resolveDefinition(fakeTool(folder), { environment });
process.stdout.write(command);
