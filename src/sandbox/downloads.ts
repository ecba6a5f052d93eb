import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { type Md5Info, md5OfFile } from '../common/content.js';
import { hierarchyDirectory, hierarchyPath } from '../project/hierarchy.js';
import { type FindStaged, type StagedInfo, TemplateError } from './inputTemplate.js';
import type { ProjectSettings } from './projectSettings.js';

/** The place of a staged file; its directory is created, as `dir_hier_path` does. */
export async function stagedPath(settings: ProjectSettings, name: string): Promise<string> {
	const directory = path.join(settings.downloadDir, hierarchyDirectory(name, settings.fanout));
	await mkdir(directory, { recursive: true, mode: 0o771 });
	// Not normalised: the real tools put whatever they were given behind the directory.
	return `${directory}/${name}`;
}

/** The `.md5` side file, when it is there, well-formed and not older than the file itself. */
export async function readMd5Info(file: string): Promise<Md5Info | undefined> {
	try {
		const [data, side] = await Promise.all([stat(file), stat(`${file}.md5`)]);
		const match = /^([\da-f]{32}) ([\d.e+]+)\n?$/.exec(await readFile(`${file}.md5`, 'utf8'));
		if (!match || side.mtimeMs < Math.floor(data.mtimeMs / 1000) * 1000) {
			return undefined;
		}
		return { md5: match[1] ?? '', size: Number(match[2]) };
	} catch {
		return undefined;
	}
}

/** Writes the side file as the staging tools do. */
export async function writeMd5Info(file: string, info: Md5Info): Promise<void> {
	await writeFile(`${file}.md5`, `${info.md5} ${info.size}\n`, { mode: 0o644 });
}

/** A number as C prints it with `%.15e`; `create_work` writes sizes that way. */
export function exponential(value: number): string {
	const [mantissa = '0', exponent = '+0'] = value.toExponential(15).split('e');
	return `${mantissa}e${exponent.charAt(0)}${exponent.slice(1).padStart(2, '0')}`;
}

/**
 * Looks staged files up as `create_work` does; `say` receives what it prints on standard output. A file that was found is not
 * looked at again: thousands of jobs name the same ones.
 */
export function stagedFinder(settings: ProjectSettings, say: (text: string) => void): FindStaged {
	const found = new Map<string, StagedInfo>();
	return async (name, kind): Promise<StagedInfo> => {
		const known = found.get(`${kind} ${name}`) ?? (await find(name, kind));
		found.set(`${kind} ${name}`, known);
		return known;
	};

	async function find(name: string, kind: Parameters<FindStaged>[1]): Promise<StagedInfo> {
		const file = await stagedPath(settings, name);
		const info = kind === 'constant' ? await constantInfo(file, name) : await ordinaryInfo(settings, file, name, say);
		return {
			...info,
			url: `${settings.downloadUrl}/${hierarchyPath(name, settings.fanout)}`,
			gzippedSize: await stat(`${file}.gz`).then(
				({ size }) => size,
				() => undefined,
			),
		};
	}
}

async function constantInfo(file: string, name: string): Promise<Md5Info> {
	const info = await readMd5Info(file);
	if (!info) {
		throw new TemplateError(`missing MD5 info file for ${name}`, -163, 'file missing');
	}
	return info;
}

async function ordinaryInfo(
	settings: ProjectSettings,
	file: string,
	name: string,
	say: (text: string) => void,
): Promise<Md5Info> {
	if (!existsSync(file)) {
		const flat = path.join(settings.downloadDir, name);
		say(`copy ${flat} to ${file}\n`);
		await copyFile(flat, file).catch(() => undefined);
	}
	const cached = await readMd5Info(file);
	if (cached) {
		return cached;
	}
	let info: Md5Info;
	try {
		info = await md5OfFile(file);
	} catch {
		throw new TemplateError(
			`md5_file: can't open ${file}\nmd5_file: No such file or directory\nprocess_input_template: md5_file fopen() failed`,
			-108,
			'fopen() failed',
		);
	}
	if (settings.flag('cache_md5_info')) {
		await writeFile(`${file}.md5`, `${info.md5} ${exponential(info.size)}\n`);
	}
	return info;
}
