// Tests of the image for VirtualBox, in QEMU.
//
//   npm run test:iso             those that are part of npm test
//   npm run test:iso -- --all    the long ones too: big images, other adapters and processors, a kernel that panics
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { all: { type: 'boolean' } } });
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const run = (file, ...args) => spawnSync(file, args, { cwd: root, stdio: 'inherit' }).status ?? 1;

const packages = run(process.execPath, 'scripts/systemPackages.mjs', 'test');
if (packages !== 0) {
	process.exit(packages);
}
const projects = ['unit', 'vm', ...(values.all ? ['long'] : [])].flatMap((name) => ['--project', name]);
process.exit(run(path.join(root, 'node_modules/.bin/vitest'), 'run', ...projects, '/iso/'));
