// Runs a benchmark of bench/ and prints its figures; with --json the last line is one JSON object.
//
//   npm run bench -- NAME [--json] [ARGUMENTS of the benchmark]
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

import { bundled, root } from './bundled.mjs';

const [name, ...words] = process.argv.slice(2).filter((word) => word !== '--json');
const isJson = process.argv.includes('--json');
const rest = words.filter((word) => word !== '--');
const names = readdirSync(path.join(root, 'bench'))
	.filter((file) => file.endsWith('.ts'))
	.map((file) => file.slice(0, -3));
if (!names.includes(name)) {
	console.error(`usage: npm run bench -- ${names.join('|')} [--json]`);
	process.exit(2);
}
execFileSync(process.execPath, [path.join(root, 'scripts/systemPackages.mjs'), 'bench'], { stdio: 'inherit' });
execFileSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });

let code = 0;
try {
	const figures = await bundled(`bench/${name}.ts`, ({ run }) => run(rest));
	if (isJson) {
		console.log(JSON.stringify(figures));
	} else {
		for (const [key, value] of Object.entries(figures)) {
			console.log(`${key.padEnd(24)} ${typeof value === 'number' ? Number(value.toPrecision(4)) : JSON.stringify(value)}`);
		}
	}
} catch (error) {
	console.error(error);
	code = 1;
}
process.exit(code);
