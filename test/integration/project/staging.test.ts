import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { contentOfBytes } from '../../../src/common/content.js';
import { type OperationContext, quietContext } from '../../../src/common/ports.js';
import type { Connection } from '../../../src/connection/connection.js';
import { localConnection } from '../../../src/connection/localConnection.js';
import { openProject } from '../../../src/project/openProject.js';
import type { Project } from '../../../src/project/project.js';
import { stageFiles } from '../../../src/project/staging.js';

let root: string;
let connection: Connection;
let project: Project;
const ctx = quietContext();

beforeEach(async () => {
	root = await mkdtemp(path.join(os.tmpdir(), 'b2d staging-'));
	connection = localConnection();
	project = await projectWithFanout(1024);
});
afterEach(async () => {
	project.dispose();
	await connection.close();
	await rm(root, { recursive: true, force: true });
});

async function projectWithFanout(fanout: number): Promise<Project> {
	await mkdir(path.join(root, 'download'), { recursive: true });
	await writeFile(
		path.join(root, 'config.xml'),
		`<boinc><config><master_url>http://x/</master_url><db_name>x</db_name><uldl_dir_fanout>${String(fanout)}</uldl_dir_fanout></config></boinc>`,
	);
	return openProject(connection, root, ctx);
}

const file = (name: string, text: string): { name: string; content: ReturnType<typeof contentOfBytes> } => ({
	name,
	content: contentOfBytes(text),
});
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** The connection with its uploads counted or made to fail. */
function watched(onUpload: (path: string) => void): Connection {
	return {
		name: connection.name,
		exec: (argv, options) => connection.exec(argv, options),
		dial: (address, signal) => connection.dial(address, signal),
		upload: (source, target, options) => {
			onUpload(target);
			return connection.upload(source, target, options);
		},
		download: (source, target, options) => connection.download(source, target, options),
		close: () => connection.close(),
	};
}

describe('staging', () => {
	test('puts files into their hash directories, readable for the web server, with side files', async () => {
		const report = await stageFiles(project, [file('infile', 'hello'), file('f1.txt', '')], ctx);
		expect(report).toEqual({ bytesSent: 5, sent: ['infile', 'f1.txt'], reused: [] });
		expect(await readFile(path.join(root, 'download/3d8/infile'), 'utf8')).toBe('hello');
		expect(await readFile(path.join(root, 'download/3d8/infile.md5'), 'utf8')).toBe(`${md5('hello')} 5\n`);
		expect(await readFile(path.join(root, 'download/1b8/f1.txt.md5'), 'utf8')).toBe(`${md5('')} 0\n`);
		for (const name of ['infile', 'infile.md5']) {
			expect((await stat(path.join(root, 'download/3d8', name))).mode & 0o777).toBe(0o644);
		}
		expect((await stat(path.join(root, 'download/3d8'))).mode & 0o777).toBe(0o755);
		const data = await stat(path.join(root, 'download/3d8/infile'));
		expect((await stat(path.join(root, 'download/3d8/infile.md5'))).mtimeMs).toBeGreaterThanOrEqual(data.mtimeMs);
		expect((await readdir(path.join(root, 'download/3d8'))).sort()).toEqual(['infile', 'infile.md5']);
	});

	test('keeps the group bit of the download folder', async () => {
		await chmod(path.join(root, 'download'), 0o2775);
		await stageFiles(project, [file('infile', 'hello')], ctx);
		expect((await stat(path.join(root, 'download/3d8'))).mode & 0o2000).toBe(0o2000);
	});

	test('sends nothing that is there', async () => {
		await stageFiles(project, [file('infile', 'hello')], ctx);
		const before = await stat(path.join(root, 'download/3d8/infile'));
		const report = await stageFiles(project, [file('infile', 'hello'), file('in.zip', 'more')], ctx);
		expect(report).toEqual({ bytesSent: 4, sent: ['in.zip'], reused: ['infile'] });
		expect((await stat(path.join(root, 'download/3d8/infile'))).ino).toBe(before.ino);
	});

	test('works in a flat project', async () => {
		project = await projectWithFanout(0);
		await stageFiles(project, [file('infile', 'hello')], ctx);
		expect((await readdir(path.join(root, 'download'))).sort()).toEqual(['infile', 'infile.md5']);
	});

	test('asks for all names at once and sends several at a time', async () => {
		const files = Array.from({ length: 30 }, (_, index) => file(`input_${String(index)}`, `content ${String(index)}`));
		const seen: number[] = [];
		const counting: OperationContext = { ...ctx, progress: { report: (update) => seen.push(update.current ?? 0) } };
		const report = await stageFiles(project, files, counting);
		expect(report.sent).toHaveLength(30);
		expect(Math.max(...seen)).toBe(report.bytesSent);
	});

	test('one name with two contents is refused before anything is sent', async () => {
		await expect(stageFiles(project, [file('a', '1'), file('a', '2')], ctx)).rejects.toMatchObject({ code: 'file-collision' });
		await expect(stageFiles(project, [file('ok', '1'), file('../evil', '2')], ctx)).rejects.toMatchObject({
			code: 'file-collision',
		});
		expect(await readdir(path.join(root, 'download'))).toEqual([]);
	});
});

describe('a name that is taken', () => {
	beforeEach(() => stageFiles(project, [file('infile', 'hello')], ctx).then(() => undefined));
	const data = (): string => path.join(root, 'download/3d8/infile');

	test('by other content is never overwritten, and nothing else is sent', async () => {
		await expect(stageFiles(project, [file('new', 'x'), file('infile', 'olleh')], ctx)).rejects.toMatchObject({
			code: 'file-collision',
			detail: { name: 'infile' },
		});
		await expect(stageFiles(project, [file('infile', 'longer than before')], ctx)).rejects.toMatchObject({
			code: 'file-collision',
		});
		expect(await readFile(data(), 'utf8')).toBe('hello');
		expect(await readdir(path.join(root, 'download'))).toEqual(['3d8']);
	});

	test('by the same content without side file is completed', async () => {
		await rm(`${data()}.md5`);
		expect(await stageFiles(project, [file('infile', 'hello')], ctx)).toEqual({ bytesSent: 0, sent: [], reused: ['infile'] });
		expect(await readFile(`${data()}.md5`, 'utf8')).toBe(`${md5('hello')} 5\n`);
	});

	test('by other content of the same size without side file is refused', async () => {
		await rm(`${data()}.md5`);
		await expect(stageFiles(project, [file('infile', 'olleh')], ctx)).rejects.toMatchObject({ code: 'file-collision' });
	});

	test('with a side file that is older than the data gets a new one', async () => {
		await utimes(`${data()}.md5`, 1000, 1000);
		await stageFiles(project, [file('infile', 'hello')], ctx);
		expect((await stat(`${data()}.md5`)).mtimeMs).toBeGreaterThanOrEqual((await stat(data())).mtimeMs);
	});

	test('with data from the future still gets a side file that is not older', async () => {
		const future = Date.now() / 1000 + 86_400;
		await utimes(data(), future, future);
		await stageFiles(project, [file('infile', 'hello')], ctx);
		expect((await stat(`${data()}.md5`)).mtimeMs).toBeGreaterThanOrEqual((await stat(data())).mtimeMs);
	});

	test('with the side file of create_work, whose size has an exponent, is reused', async () => {
		await writeFile(`${data()}.md5`, `${md5('hello')} 5.000000000000000e+00\n`);
		expect((await stageFiles(project, [file('infile', 'hello')], ctx)).reused).toEqual(['infile']);
	});

	test('by a damaged side file is judged by the data', async () => {
		await writeFile(`${data()}.md5`, '');
		expect((await stageFiles(project, [file('infile', 'hello')], ctx)).reused).toEqual(['infile']);
		expect(await readFile(`${data()}.md5`, 'utf8')).toBe(`${md5('hello')} 5\n`);
	});

	test('by a folder is refused', async () => {
		await rm(data());
		await mkdir(data());
		await expect(stageFiles(project, [file('infile', 'hello')], ctx)).rejects.toMatchObject({ code: 'file-collision' });
	});
});

describe('a failure in the middle', () => {
	test('leaves no side files for what was not sent, and the next try completes', async () => {
		const files = Array.from({ length: 6 }, (_, index) => file(`input_${String(index)}`, `content ${String(index)}`));
		const failing = watched((target) => {
			if (target.endsWith('input_3')) {
				throw new Error('the link was cut');
			}
		});
		const broken = await openProject(failing, root, ctx);
		await expect(stageFiles(broken, files, ctx)).rejects.toThrow('the link was cut');
		const names = (await readdir(path.join(root, 'download'), { recursive: true })).filter((name) => name.endsWith('.md5'));
		expect(names).toEqual([]);
		const report = await stageFiles(project, files, ctx);
		expect(report.sent.length + report.reused.length).toBe(6);
		expect(report.sent).toContain('input_3');
	});

	test('a cancelled staging sends no more', async () => {
		const controller = new AbortController();
		let uploads = 0;
		const stopping = watched(() => {
			uploads++;
			controller.abort();
		});
		const files = Array.from({ length: 20 }, (_, index) => file(`input_${String(index)}`, 'x'));
		await expect(
			stageFiles(await openProject(stopping, root, ctx), files, quietContext(controller.signal)),
		).rejects.toMatchObject({ name: 'AbortError' });
		expect(uploads).toBeLessThanOrEqual(4);
	});

	test('a download folder that does not exist is named', async () => {
		await rm(path.join(root, 'download'), { recursive: true });
		await expect(stageFiles(project, [file('infile', 'hello')], ctx)).rejects.toThrow(/download/);
	});
});
