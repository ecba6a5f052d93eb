import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { create } from 'tar';

const runProgram = promisify(execFile);

/** What the sample's program does, by its first argument; the rest it writes down byte by byte. */
const PROGRAM = (tag: string): string => `#!/bin/busybox sh
# ${tag}
what=$1
cd /root/shared/results || exit 99
printf '%s\\0' "$@" >arguments
printf '%s' "$HOSTILE" >variable
printf '%s' "$B2D_INDEX/$B2D_COUNT" >index
id -u >user
pwd -P >folder
# A shell keeps only what can be its own variables.
cat /proc/$$/environ >environment
for file in common.bin own.txt; do
	[ ! -f "../$file" ] || cp "../$file" "$file"
done
case $what in
fail)
	echo "the sample fails as it was told" >&2
	exit 37
	;;
sleep) sleep "$2" ;;
esac
echo "the sample of ${tag} is done"
`;

/** User of the sample image: a number that no system account has. */
export const SAMPLE_USER = 12_345;

/**
 * Writes a saved image (`docker save`'s layout) with a static busybox and one program. Every file of it holds \`tag\`, so its packs
 * are like no other image's.
 */
export async function writeSampleImage(folder: string, tag: string, busyboxFile: string): Promise<string> {
	const root = path.join(folder, 'root');
	await mkdir(path.join(root, 'bin'), { recursive: true });
	await mkdir(path.join(root, 'tmp'), { recursive: true });
	await chmod(path.join(root, 'tmp'), 0o1777);
	await writeFile(path.join(root, 'bin/busybox'), Buffer.concat([await readFile(busyboxFile), Buffer.from(tag)]), {
		mode: 0o755,
	});
	const { stdout } = await runProgram(busyboxFile, ['--list']);
	for (const applet of stdout.split('\n').filter((name) => name !== '' && name !== 'busybox')) {
		await symlink('busybox', path.join(root, 'bin', applet));
	}
	await writeFile(path.join(root, 'program'), PROGRAM(tag), { mode: 0o755 });
	const image = path.join(folder, 'image');
	await mkdir(image, { recursive: true });
	await create({ file: path.join(image, 'layer.tar'), cwd: root, portable: true }, ['.']);
	const layer = await readFile(path.join(image, 'layer.tar'));
	const config = {
		os: 'linux',
		architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
		config: {
			Entrypoint: ['/program'],
			Cmd: ['nothing'],
			Env: ['PATH=/bin', 'HOSTILE=from the image'],
			User: String(SAMPLE_USER),
			WorkingDir: '/tmp',
		},
		rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] },
	};
	await writeFile(path.join(image, 'config.json'), JSON.stringify(config));
	await writeFile(
		path.join(image, 'manifest.json'),
		JSON.stringify([{ Config: 'config.json', RepoTags: [`b2d-conformance:${tag}`], Layers: ['layer.tar'] }]),
	);
	const archive = path.join(folder, 'image.tar');
	await create({ file: archive, cwd: image, portable: true }, ['manifest.json', 'config.json', 'layer.tar']);
	return archive;
}
