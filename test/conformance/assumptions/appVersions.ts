import assert from 'node:assert/strict';

import { parsePublicKey, verifyMd5 } from '../../../src/project/boincKeys.js';
import type { Check } from '../checks.js';
import type { Lab, Ran } from '../lab.js';
import { md5, PROBE_CLASS, PROBE_PLATFORM, probeApp } from '../probe.js';

const PROGRAM = '#!/bin/sh\nexit 0\n';
const DATA = 'data of the probe\n';

interface VersionFile {
	readonly name: string;
	readonly text: string;
	/** Elements of `version.xml`; absent: the file is not listed. */
	readonly listed?: string;
	readonly mode?: string;
}

const probeFiles = (tag: string): VersionFile[] => [
	{ name: `${tag}_wrapper_1`, text: PROGRAM, listed: '<main_program/>', mode: '755' },
	{ name: `${tag}_data_1`, text: DATA, listed: '<logical_name>Dockerfile</logical_name><copy_file/>' },
];

/** Puts a version directory in place at once, as our own installer does: made under a dot name, then renamed. */
export async function place(
	lab: Lab,
	directory: string,
	files: readonly VersionFile[],
	extra: readonly VersionFile[] = [],
): Promise<void> {
	const { name } = await probeApp(lab);
	const incoming = `apps/${name}/.incoming-${directory.replaceAll('/', '-')}`;
	for (const file of files) {
		await lab.put(`${incoming}/${file.name}`, file.text, file.mode ?? '644');
	}
	const listed = [...files, ...extra].filter((file) => file.listed !== undefined);
	if (listed.length > 0) {
		const elements = listed.map((file) => `  <file><physical_name>${file.name}</physical_name>${file.listed}</file>\n`);
		await lab.put(`${incoming}/version.xml`, `<version>\n${elements.join('')}  <is_wrapper/>\n</version>\n`);
	}
	await lab.sh('mkdir -p "$(dirname "$2")" && mv "$1" "$2"', incoming, `apps/${name}/${directory}`);
}

const remove = async (lab: Lab, directory: string): Promise<unknown> =>
	lab.sh('rm -rf "apps/$1/$2"', (await probeApp(lab)).name, directory);
export const updateVersions = (lab: Lab): Promise<Ran> => lab.tool('update_versions', ['--noconfirm']);

async function versions(lab: Lab): Promise<number[]> {
	const app = await probeApp(lab);
	const rows = await lab.select<{ version_num: number }>(
		'SELECT version_num FROM app_version WHERE appid = ? ORDER BY version_num',
		app.id,
	);
	return rows.map((row) => row.version_num);
}

/** Installs the probe's version 1.00 once; resolves to what `update_versions` said. */
export function probeVersion(lab: Lab): Promise<Ran> {
	return lab.once('probe version', async () => {
		await definePlanClass(lab, classElement);
		await place(lab, `1.00/${PROBE_PLATFORM}__${PROBE_CLASS}`, probeFiles(lab.tag));
		const ran = await updateVersions(lab);
		if (!(await versions(lab)).includes(100)) {
			throw new Error(`bin/update_versions did not install the probe: ${ran.stdout}${ran.stderr}`);
		}
		return ran;
	});
}

const classElement = `<plan_class>\n<name>${PROBE_CLASS}</name>\n<docker/>\n</plan_class>\n`;

/** Adds a plan class of the probe; a project without the file has one for as long as the checks run. */
export async function definePlanClass(lab: Lab, element: string): Promise<void> {
	const file = 'plan_class_spec.xml';
	if (await lab.exists(file)) {
		await lab.put(file, (await lab.get(file)).replace('</plan_classes>', `${element}</plan_classes>`));
		lab.defer(file, async () => lab.put(file, (await lab.get(file)).replace(element, '')));
	} else {
		await lab.put(file, `<plan_classes>\n${element}</plan_classes>\n`);
		lab.defer(file, () => lab.sh('grep -q "<name>" "$1" && [ "$(grep -c "<plan_class>" "$1")" = 1 ] && rm "$1" || true', file));
	}
}

/** A run of `update_versions` that must install nothing of ours. */
async function notInstalled(
	lab: Lab,
	directory: string,
	files: readonly VersionFile[],
	extra: readonly VersionFile[],
	says: RegExp,
): Promise<Ran> {
	await probeVersion(lab);
	const before = await versions(lab);
	await place(lab, directory, files, extra);
	try {
		const ran = await updateVersions(lab);
		assert.match(ran.stdout, says);
		assert.deepEqual(await versions(lab), before);
		return ran;
	} finally {
		await remove(lab, directory.split('/')[0]!);
	}
}

export const appVersionChecks: readonly Check<Lab>[] = [
	{
		name: 'update_versions --noconfirm: “App version added successfully; ID=N”, exit 0, a row',
		run: async (lab) => {
			const app = await probeApp(lab);
			const ran = await probeVersion(lab);
			assert.equal(ran.code, 0);
			const id = /App version added successfully; ID=(\d+)/.exec(ran.stdout)?.[1];
			const rows = await lab.select<{ id: number; plan_class: string; platform: string; deprecated: number }>(
				'SELECT av.id, plan_class, p.name AS platform, av.deprecated FROM app_version av JOIN platform p ON p.id = platformid WHERE appid = ?',
				app.id,
			);
			assert.deepEqual(
				rows.map((row) => ({ ...row })),
				[{ id: Number(id), plan_class: PROBE_CLASS, platform: PROBE_PLATFORM, deprecated: 0 }],
			);
		},
	},
	{
		name: 'the files are at the top of download/, byte for byte',
		run: async (lab) => {
			await probeVersion(lab);
			for (const file of probeFiles(lab.tag)) {
				assert.equal(await lab.get(`${lab.project.config.downloadDir}/${file.name}`), file.text);
			}
		},
	},
	{
		name: 'xml_doc lists them with sizes, URLs, flags and signatures that our key code verifies',
		run: async (lab) => {
			await probeVersion(lab);
			const app = await probeApp(lab);
			const [row] = await lab.select<{ xml_doc: Buffer }>(
				'SELECT xml_doc FROM app_version WHERE appid = ? AND version_num = 100',
				app.id,
			);
			const xml = row?.xml_doc.toString('utf8') ?? '';
			const key = parsePublicKey(await lab.get(`${lab.project.config.keyDir}/code_sign_public`));
			assert.ok(key, 'keys/code_sign_public cannot be parsed');
			for (const [i, file] of probeFiles(lab.tag).entries()) {
				const info = xml.split('<file_info>').find((part) => part.includes(`<name>${file.name}</name>`)) ?? '';
				assert.ok(info.includes(`<url>${lab.project.config.downloadUrl}/${file.name}</url>`), xml);
				assert.ok(info.includes(`<nbytes>${file.text.length}</nbytes>`), info);
				assert.equal(info.includes('<executable/>'), i === 0, info);
				const signature = /<file_signature>\n([0-9a-f\n]+\.)\n<?/.exec(info)?.[1] ?? '';
				assert.ok(verifyMd5(md5(file.text), signature, key), `the signature of ${file.name} is wrong`);
				assert.ok(!verifyMd5(md5(`${file.text}x`), signature, key));
			}
			assert.match(xml, /<file_ref>\s*<file_name>[^<]*_wrapper_1<\/file_name>\s*<main_program\/>\s*<\/file_ref>/);
			assert.match(xml, /<open_name>Dockerfile<\/open_name>\s*<copy_file\/>/);
			assert.match(xml, /<version_num>100<\/version_num>/);
			assert.match(xml, /<is_wrapper\/>/);
		},
	},
	{
		name: 'it leaves reread_db, which the feeder takes away',
		run: async (lab) => {
			await probeVersion(lab);
			await lab.until('reread_db gone', async () => !(await lab.exists('reread_db')), 15);
		},
	},
	{
		name: 'a second run says nothing and adds nothing, exit 0; --verbose says “already in database”',
		run: async (lab) => {
			await probeVersion(lab);
			const before = await versions(lab);
			const again = await updateVersions(lab);
			assert.equal(again.code, 0);
			assert.doesNotMatch(again.stdout, /added|Error/);
			assert.deepEqual(await versions(lab), before);
			const verbose = await lab.tool('update_versions', ['--noconfirm', '--verbose']);
			assert.match(verbose.stdout, /\(already in database\)/);
			return JSON.stringify(again.stdout);
		},
	},
	{
		name: 'another content under an installed name: “BOINC files are immutable”, no row, and exit 0 all the same',
		run: async (lab) => {
			const files = probeFiles(lab.tag).map((file) => ({ ...file, text: `${file.text}# changed\n` }));
			const ran = await notInstalled(lab, `1.01/${PROBE_PLATFORM}`, files, [], /BOINC files are immutable/);
			assert.equal(ran.code, 0);
			assert.equal(await lab.get(`${lab.project.config.downloadDir}/${lab.tag}_data_1`), DATA);
		},
	},
	{
		name: 'the same content under an installed name is used again',
		run: async (lab) => {
			await probeVersion(lab);
			await place(lab, `1.02/${PROBE_PLATFORM}`, probeFiles(lab.tag));
			await updateVersions(lab);
			assert.ok((await versions(lab)).includes(102));
			await lab.write('UPDATE app_version SET deprecated = 1 WHERE appid = ? AND version_num = 102', (await probeApp(lab)).id);
			await lab.sh('touch reread_db');
		},
	},
	{
		name: 'no main program: “No file was marked as the main program”, exit 0, no row',
		run: async (lab) => {
			const files = probeFiles(lab.tag).map((file) => ({ ...file, listed: '' }));
			assert.equal(
				(await notInstalled(lab, `1.03/${PROBE_PLATFORM}`, files, [], /No file was marked as the main program/)).code,
				0,
			);
		},
	},
	{
		name: 'two main programs: “More than one”, no row',
		run: async (lab) => {
			const files = probeFiles(lab.tag).map((file) => ({ ...file, listed: '<main_program/>' }));
			await notInstalled(lab, `1.03/${PROBE_PLATFORM}`, files, [], /More than one file was marked as the main program/);
		},
	},
	{
		name: 'a listed file that is absent: “listed in version.xml but not present”, no row',
		run: async (lab) => {
			const absent = { name: `${lab.tag}_absent_1`, text: '', listed: '' };
			await notInstalled(
				lab,
				`1.03/${PROBE_PLATFORM}`,
				probeFiles(lab.tag),
				[absent],
				/is listed in version\.xml but not present/,
			);
		},
	},
	{
		name: 'an unknown platform: “no such platform”, no row',
		run: (lab) =>
			notInstalled(lab, '1.03/pdp11-unix', probeFiles(lab.tag), [], /no such platform: pdp11-unix/).then(() => undefined),
	},
	{
		name: 'a version that is no number: “is not a version number; skipping”',
		run: (lab) =>
			notInstalled(lab, `one/${PROBE_PLATFORM}`, probeFiles(lab.tag), [], /one is not a version number; skipping/).then(
				() => undefined,
			),
	},
	{
		name: 'a folder in apps/ that is no app ends the run: “app not found”; nothing is installed',
		run: async (lab) => {
			await probeVersion(lab);
			const ran = await lab.run([
				'sh',
				'-c',
				'mkdir "apps/$1" && bin/update_versions --noconfirm; code=$?; rmdir "apps/$1"; exit $code',
				'sh',
				`${lab.tag}zz`,
			]);
			assert.match(ran.stdout, new RegExp(`app not found: ${lab.tag}zz`));
			assert.equal(ran.code, 0);
		},
	},
	{
		name: 'a folder with a dot name in apps/APP is passed over',
		run: async (lab) => {
			await probeVersion(lab);
			const { name } = await probeApp(lab);
			const before = await versions(lab);
			await lab.put(`apps/${name}/.incoming-x/1.09/${PROBE_PLATFORM}/${lab.tag}_y`, PROGRAM, '755');
			const ran = await updateVersions(lab);
			await remove(lab, '.incoming-x');
			assert.doesNotMatch(ran.stdout, /incoming/);
			assert.deepEqual(await versions(lab), before);
		},
	},
	{
		name: '1.2 is version 102, a directory with one file needs no version.xml',
		run: async (lab) => {
			await probeVersion(lab);
			const directory = `2.5/${PROBE_PLATFORM}`;
			await place(lab, directory, [{ name: `${lab.tag}_single_1`, text: PROGRAM, mode: '755' }]);
			await updateVersions(lab);
			assert.ok((await versions(lab)).includes(205));
			await lab.write('UPDATE app_version SET deprecated = 1 WHERE appid = ? AND version_num = 205', (await probeApp(lab)).id);
			await lab.sh('touch reread_db');
		},
	},
	{
		name: 'sign_executable prints four hex lines and a dot, exit 0; a missing file: exit 1',
		run: async (lab) => {
			const path = `templates/${lab.tag}_signed`;
			await lab.put(path, 'sign me\n');
			const privateKey = `${lab.project.config.keyDir}/code_sign_private`;
			const ran = await lab.tool('sign_executable', [path, privateKey]);
			assert.equal(ran.code, 0);
			assert.match(ran.stdout, /^(?:[0-9a-f]{64}\n){4}\.\n$/);
			const key = parsePublicKey(await lab.get(`${lab.project.config.keyDir}/code_sign_public`));
			assert.ok(key && verifyMd5(md5('sign me\n'), ran.stdout, key));
			const missing = await lab.tool('sign_executable', [`${path}_absent`, privateKey]);
			assert.equal(missing.code, 1);
			assert.equal(missing.stdout, '');
		},
	},
	{
		name: 'a signature beside the file (NAME.sig) is taken as it is',
		run: async (lab) => {
			await probeVersion(lab);
			const name = `${lab.tag}_offline_1`;
			const signature = `${`${'ab'.repeat(32)}\n`.repeat(4)}.\n`;
			await place(lab, `2.06/${PROBE_PLATFORM}`, [
				{ name, text: PROGRAM, mode: '755', listed: '<main_program/>' },
				{ name: `${name}.sig`, text: signature },
			]);
			await updateVersions(lab);
			const app = await probeApp(lab);
			const [row] = await lab.select<{ xml_doc: Buffer }>(
				'SELECT xml_doc FROM app_version WHERE appid = ? AND version_num = 206',
				app.id,
			);
			assert.ok(row?.xml_doc.includes('ab'.repeat(32)));
			await lab.write('UPDATE app_version SET deprecated = 1 WHERE appid = ? AND version_num = 206', app.id);
			await lab.sh('touch reread_db');
		},
	},
];
