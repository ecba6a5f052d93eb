import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { parseRange } from '../../../src/sandbox/web/downloads.js';
import { schedulerRequest } from './requestText.js';
import { startWebProject, type WebProject } from './webProject.js';

let project: WebProject;
beforeAll(async () => {
	project = await startWebProject();
	await writeFile(path.join(project.root, 'download/3f/pack'), '0123456789');
});
afterAll(() => project.remove());

const get = (target: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
	fetch(`${project.base}${target}`, { headers, method });

describe('downloads', () => {
	it('have a length, resume by range and say so', async () => {
		const whole = await get('/unit/download/3f/pack');
		expect([whole.status, whole.headers.get('content-length'), await whole.text()]).toEqual([200, '10', '0123456789']);
		const rest = await get('/unit/download/3f/pack', { Range: 'bytes=7-' });
		expect([rest.status, rest.headers.get('content-range'), await rest.text()]).toEqual([206, 'bytes 7-9/10', '789']);
		expect((await get('/unit/download/3f/pack', { Range: 'bytes=10-' })).status).toBe(416);
		const head = await get('/unit/download/3f/pack', {}, 'HEAD');
		expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '10', '']);
		expect((await get('/unit/download/3f/pack', {}, 'PUT')).status).toBe(405);
	});

	it('start again when the file is another one', async () => {
		const tag = (await get('/unit/download/3f/pack')).headers.get('etag')!;
		expect((await get('/unit/download/3f/pack', { Range: 'bytes=5-', 'If-Range': tag })).status).toBe(206);
		expect((await get('/unit/download/3f/pack', { Range: 'bytes=5-', 'If-Range': '"old"' })).status).toBe(200);
	});

	it.each([
		'/unit/download/absent',
		'/unit/download/',
		'/unit/download/3f',
		'/unit/download/..%2Fconfig.xml',
		'/unit/download/%zz',
		'/other',
		'/unit/download/.hidden',
	])('answer 404 for %s', async (target) => {
		expect((await get(target)).status).toBe(404);
	});

	it('are counted in the access log', async () => {
		await get('/unit/download/3f/pack?logged', { Range: 'bytes=2-', 'User-Agent': 'BOINC "test"' }).then((response) =>
			response.text(),
		);
		await expect
			.poll(async () => (await readFile(path.join(project.root, 'log_h/access.log'), 'utf8')).split('\n'))
			.toContainEqual(
				expect.stringMatching(
					/^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/unit\/download\/3f\/pack\?logged HTTP\/1\.1" 206 8 "-" "BOINC test"$/,
				),
			);
	});

	it.each([
		[undefined, 'all'],
		['bytes=0-0', { start: 0, end: 0 }],
		['bytes=-3', { start: 7, end: 9 }],
		['bytes=-30', { start: 0, end: 9 }],
		['bytes=5-100', { start: 5, end: 9 }],
		['bytes=5-3', 'all'],
		['bytes=1-2,4-5', 'all'],
		['bytes=-', 'all'],
		['bytes=-0', 'unsatisfiable'],
		['bytes=10-', 'unsatisfiable'],
	])('range %s of ten bytes', (header, expected) => {
		expect(parseRange(header, 10)).toEqual(expected);
	});
});

describe('pages', () => {
	it('hold the scheduler in both forms, on short lines, also without a database', async () => {
		const page = await (await get('/unit/')).text();
		expect(page).toContain('<link rel="boinc_scheduler" href="http://127.0.0.1:1/unit_cgi/cgi">');
		expect(page).toContain('<scheduler>http://127.0.0.1:1/unit_cgi/cgi</scheduler>');
		expect(Math.max(...page.split('\n').map((line) => line.length))).toBeLessThan(256);
	});

	it('describe the project and tell that accounts cannot be looked up', async () => {
		expect(await (await get('/unit/get_project_config.php')).text()).toContain(
			'<master_url>http://127.0.0.1:1/unit/</master_url>',
		);
		expect(await (await get('/unit/lookup_account.php?email_addr=a@b&passwd_hash=x')).text()).toContain(
			'<error_num>-138</error_num>',
		);
	});
});

describe('the scheduler without its helpers', () => {
	const ask = async (): Promise<string> =>
		(await fetch(`${project.base}/unit_cgi/cgi`, { method: 'POST', body: schedulerRequest() })).text();

	it('says that the database is away', async () => {
		expect(await ask()).toContain("Server can't open database");
	});

	it('says that the project is stopped', async () => {
		await writeFile(path.join(project.root, 'stop_sched'), '');
		expect(await ask()).toMatch(
			/temporarily shut down for maintenance[\s\S]*<request_delay>3600<\/request_delay>\s*<project_is_down\/>/,
		);
	});
});
