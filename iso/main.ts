import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { buildIso } from './buildIso.js';
import { readLock } from './lock.js';
import { mirrorAt, mirrorOfMachine } from './mirror.js';
import { updateLock } from './updateLock.js';

/** Where downloaded packages are kept between builds. */
export const PACKAGE_STORE = path.join(homedir(), '.cache/boinc2docker/packages');

const USAGE = `Builds the image that volunteers' VirtualBox boots: dist/iso/boinc2docker.iso.

  npm run iso -- [--mirror URL | --packages FOLDER] [--out FOLDER] [--update]

  --mirror URL        a mirror of Debian, as http://HOST/debian; else the one that this machine's apt uses
  --packages FOLDER   take all packages from this folder, and nothing from the network
  --out FOLDER        where the image goes
  --update            first lock the versions that the mirror has now (iso/packages.lock.json)
`;

/** The command line of `npm run iso`; `root` is the repository. Resolves to the exit code. */
export async function run(args: readonly string[], root: string): Promise<number> {
	const { values } = parseArgs({
		args: [...args],
		options: {
			mirror: { type: 'string' },
			packages: { type: 'string' },
			out: { type: 'string', default: path.join(root, 'dist/iso') },
			update: { type: 'boolean' },
			help: { type: 'boolean' },
		},
	});
	if (values.help) {
		process.stdout.write(USAGE);
		return 0;
	}
	const folder = path.join(root, 'iso');
	const lockFile = path.join(folder, 'packages.lock.json');
	const found = values.mirror === undefined ? await mirrorOfMachine() : mirrorAt(values.mirror);
	if (values.update) {
		if (!found) {
			throw new Error('This machine’s apt has no mirror of Debian. Name one with --mirror.');
		}
		await writeFile(lockFile, `${JSON.stringify(await updateLock(found), undefined, '\t')}\n`);
	}
	const input = {
		folder,
		lock: await readLock(lockFile),
		packages: values.packages ?? PACKAGE_STORE,
		mirror: values.packages === undefined ? found : undefined,
	};
	const built = await buildIso(input, values.out);
	const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;
	console.log(
		`${built.file}: ${megabytes(built.bytes)} (kernel ${megabytes(built.kernelBytes)}, root ${megabytes(built.initrdBytes)})\nSHA-256 ${built.sha256}`,
	);
	return 0;
}
