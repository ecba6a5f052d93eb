import { jsonSchema } from './jsonSchema.js';
import { referencePage } from './reference.js';

/** Files of `syntaxes/` that are made from the table of keys, by name. */
export function generatedFiles(): Readonly<Record<string, string>> {
	return {
		'boinc2docker.schema.json': `${JSON.stringify(jsonSchema(), undefined, '\t')}\n`,
		'boinc2docker.md': referencePage(),
	};
}
