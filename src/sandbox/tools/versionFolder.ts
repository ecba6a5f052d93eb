import { chmod, copyFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import { md5OfFile } from '../../common/content.js';
import { parsePrivateKey, signMd5 } from '../../project/boincKeys.js';
import { parseXml, type XmlElement, xmlFlag } from '../../project/xml.js';
import { allowKey, dead, type UpdateRun } from './updateRun.js';
import { VERSION_FLAGS, type VersionFile, type VersionInfo } from './versionXml.js';

/**
 * Reads `version.xml`, signs and publishes the files. `undefined` after a message when the version is to be skipped; throws
 * `ToolExit` where the whole run ends.
 */
export async function readVersion(run: UpdateRun, folder: string): Promise<VersionInfo | undefined> {
	const directory = path.join(run.settings.appDir, folder);
	const names = (await readdir(directory).catch(() => [])).filter(
		(name) => !name.startsWith('.') && name !== 'version.xml' && !name.endsWith('.sig'),
	);
	const xml = await versionXml(run, folder);
	const files: VersionFile[] = [];
	for (const element of xml?.children('file') ?? []) {
		const name = element.childText('physical_name') ?? '';
		if (!(await isFile(path.join(directory, name)))) {
			run.io.out(`   File ${name} is listed in version.xml but not present\n`);
			return undefined;
		}
		files.push(await publish(run, folder, name, element));
	}
	for (const name of names) {
		const listed = files.some(({ source }) => source === `${folder}/${name}`);
		if (!listed && (await isFile(path.join(directory, name)))) {
			files.push(await publish(run, folder, name, undefined));
		}
	}
	const [only] = files;
	return {
		files: only && files.length === 1 ? [{ ...only, mainProgram: true }] : files,
		flags: VERSION_FLAGS.filter((flag) => xmlFlag(xml?.childText(flag))),
		filePrefix: nonEmpty(xml?.childText('file_prefix')),
		apiVersion: nonEmpty(xml?.childText('api_version')),
	};
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

async function isFile(file: string): Promise<boolean> {
	return stat(file).then(
		(found) => found.isFile(),
		() => false,
	);
}

async function versionXml(run: UpdateRun, folder: string): Promise<XmlElement | undefined> {
	const file = path.join(run.settings.appDir, folder, 'version.xml');
	if (!(await isFile(file))) {
		return undefined;
	}
	const text = await readFile(file, 'utf8');
	return parseXml(text, 'version.xml').catch(() => {
		const shown = path.join(path.relative(run.settings.root, run.settings.appDir), folder);
		run.io.err(`PHP Warning:  simplexml_load_file(): ${shown}/version.xml: parser error\n`);
		throw dead(run.io, `         Can't load XML file ${shown}.  Check that it exists and is valid.`);
	});
}

async function publish(run: UpdateRun, folder: string, name: string, element: XmlElement | undefined): Promise<VersionFile> {
	const source = path.join(run.settings.appDir, folder, name);
	const physicalName = path.basename(name);
	if (run.verbose) {
		run.io.out(`         process_file(): ${folder}/${name}\n`);
	}
	const signature = await signatureOf(run, source, physicalName);
	const target = path.join(run.settings.downloadDir, physicalName);
	const { size } = await stageFlat(run, source, target);
	const gzipped = xmlFlag(element?.childText('gzip'));
	let gzippedSize: number | undefined;
	if (gzipped) {
		const packed = await promisify(gzip)(await readFile(target));
		await writeFile(`${target}.gz`, packed);
		gzippedSize = packed.length;
	}
	const flag = (tag: string): boolean => xmlFlag(element?.childText(tag));
	return {
		source: `${folder}/${name}`,
		physicalName,
		logicalName: nonEmpty(element?.childText('logical_name')),
		mainProgram: flag('main_program'),
		copyFile: flag('copy_file'),
		executable: ((await stat(source)).mode & 0o100) !== 0,
		urls: element?.children('url').map(({ text }) => text) ?? [],
		signature,
		size,
		gzippedSize,
	};
}

/** The offline signature beside the file, or one made here. An unreadable key gives an empty one, as on a real project. */
async function signatureOf(run: UpdateRun, source: string, name: string): Promise<string> {
	const offline = await readFile(`${source}.sig`, 'utf8').catch(() => undefined);
	if (offline !== undefined) {
		return offline;
	}
	const keyFile = path.join(run.settings.keyDir, 'code_sign_private');
	if (!(await isFile(keyFile))) {
		throw dead(run.io, `   Error: no .sig file for ${name}, and no code signing private key\n`);
	}
	await allowKey(run);
	const key = parsePrivateKey(await readFile(keyFile, 'utf8').catch(() => ''));
	return key ? signMd5((await md5OfFile(source)).md5, key) : '';
}

async function stageFlat(run: UpdateRun, source: string, target: string): Promise<{ size: number }> {
	const info = await md5OfFile(source);
	if (await isFile(target)) {
		if ((await md5OfFile(target)).md5 !== info.md5) {
			throw dead(
				run.io,
				`Error: files ${path.relative(run.settings.root, source)} and ${target} differ.\nBOINC files are immutable.\n` +
					'If you change a file, you must give it a new name.\n',
			);
		}
		return info;
	}
	await copyFile(source, target);
	await chmod(target, (await stat(source)).mode & 0o777);
	return info;
}
