// Writes what is made from tables in the code into syntaxes/: the JSON Schema and the reference page of boinc2docker.yml.
//
//   node scripts/schema.mjs
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { bundled, root } from './bundled.mjs';

mkdirSync(path.join(root, 'syntaxes'), { recursive: true });
await bundled('src/job/schema/generated.ts', ({ generatedFiles }) => {
	for (const [name, text] of Object.entries(generatedFiles())) {
		writeFileSync(path.join(root, 'syntaxes', name), text);
	}
});
