import { createHash } from 'node:crypto';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { createConnection } from 'node:net';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startWebProject, type WebProject } from './webProject.js';

let project: WebProject;
beforeAll(async () => {
	project = await startWebProject();
});
afterAll(() => project.remove());

const url = (): string => `${project.base}/unit_cgi/file_upload_handler`;
const stored = (name: string): string => path.join(project.root, 'upload', name);
const wrapped = (xml: string): string =>
	`<data_server_request>\n    <core_client_major_version>7</core_client_major_version>\n${xml}`;

function uploadHead(name: string, nbytes: number, offset: number, extra = '<max_nbytes>1000000</max_nbytes>'): string {
	return wrapped(
		`<file_upload>\n<file_info>\n<name>${name}</name>\n<xml_signature>\n</xml_signature>\n${extra}\n</file_info>\n<nbytes>${nbytes}</nbytes>\n` +
			`<md5_cksum>${createHash('md5').update('other').digest('hex')}</md5_cksum>\n<offset>${offset}</offset>\n<data>\n`,
	);
}

async function post(body: string | Buffer): Promise<{ status: number; text: string; http: number }> {
	const response = await fetch(url(), { method: 'POST', body });
	const text = await response.text();
	return { http: response.status, text, status: Number(/<status>(-?\d+)<\/status>/.exec(text)?.[1]) };
}

describe('the upload handler', () => {
	it('stores bytes, whatever their MD5, and tells the size', async () => {
		const data = Buffer.from([0, 255, 10, 60, 100, 97, 116, 97, 62, 10, 13]);
		expect(await post(Buffer.concat([Buffer.from(uploadHead('a_0', data.length, 0)), data]))).toMatchObject({
			status: 0,
			http: 200,
		});
		expect(await readFile(stored('a_0'))).toEqual(data);
		const size = await post(wrapped('<get_file_size>a_0</get_file_size>\n</data_server_request>\n'));
		expect(size.text).toContain(`<file_size>${data.length}</file_size>`);
		expect((await post(wrapped('<get_file_size>absent</get_file_size>'))).text).toContain('<file_size>0</file_size>');
	});

	it('goes on at an offset and refuses one beyond the end', async () => {
		await writeFile(stored('b_0'), 'abc');
		expect(await post(`${uploadHead('b_0', 6, 3)}def`)).toMatchObject({ status: 0 });
		expect(await readFile(stored('b_0'), 'utf8')).toBe('abcdef');
		expect(await post(`${uploadHead('b_0', 20, 7)}xxx`)).toMatchObject({ status: 1 });
		expect(await readFile(stored('b_0'), 'utf8')).toBe('abcdef');
	});

	it('keeps what arrived when the body is short', async () => {
		expect(await post(`${uploadHead('c_0', 10, 0)}12345`)).toMatchObject({ status: 1 });
		expect(await readFile(stored('c_0'), 'utf8')).toBe('12345');
	});

	it('keeps what arrived when the link is cut', async () => {
		const head = uploadHead('d_0', 100_000, 0);
		const socket = createConnection(project.server.port, '127.0.0.1');
		socket.on('error', () => undefined);
		socket.write(
			`POST /unit_cgi/file_upload_handler HTTP/1.1\r\nHost: x\r\nContent-Length: ${head.length + 100_000}\r\n\r\n${head}${'y'.repeat(500)}`,
		);
		await expect
			.poll(() =>
				stat(stored('d_0')).then(
					({ size }) => size,
					() => 0,
				),
			)
			.toBe(500);
		socket.destroy();
		// The lock goes with the connection, so that the client can go on.
		await expect
			.poll(async () => (await post(wrapped('<get_file_size>d_0</get_file_size>'))).text)
			.toContain('<file_size>500</file_size>');
	});

	it('locks a file while it arrives', async () => {
		const head = uploadHead('e_0', 10, 0);
		const slow = httpRequest(url(), { method: 'POST', headers: { 'Content-Length': head.length + 10 } });
		const answered = new Promise<number | undefined>((resolve) =>
			slow.on('response', (response) => resolve(response.statusCode)),
		);
		slow.write(`${head}12345`);
		await expect
			.poll(() =>
				stat(stored('e_0')).then(
					({ size }) => size,
					() => 0,
				),
			)
			.toBe(5);
		expect(await post(`${uploadHead('e_0', 10, 0)}aaaaaaaaaa`)).toMatchObject({ status: 1 });
		expect(await post(wrapped('<get_file_size>e_0</get_file_size>'))).toMatchObject({ status: 1 });
		slow.end('67890');
		expect(await answered).toBe(200);
		expect(await readFile(stored('e_0'), 'utf8')).toBe('1234567890');
	});

	it('takes a repeated upload of a read-only file for done', async () => {
		await writeFile(stored('f_0'), 'final');
		await chmod(stored('f_0'), 0o444);
		expect(await post(`${uploadHead('f_0', 3, 0)}new`)).toMatchObject({ status: 0 });
		expect(await readFile(stored('f_0'), 'utf8')).toBe('final');
	});

	it('takes more than the limit when certificates are ignored: then the limit is only the client’s word', async () => {
		expect(await post(`${uploadHead('j_0', 5, 0, '<max_nbytes>2</max_nbytes>')}12345`)).toMatchObject({ status: 0 });
		expect(await readFile(stored('j_0'), 'utf8')).toBe('12345');
	});

	it('accepts an empty file', async () => {
		expect(await post(uploadHead('g_0', 0, 0))).toMatchObject({ status: 0 });
		expect((await stat(stored('g_0'))).size).toBe(0);
	});

	it.each([
		['a parent folder', uploadHead('../x', 1, 0)],
		['a path', uploadHead('a/b', 1, 0)],
		['a hidden file', uploadHead('.x', 1, 0)],
		['no name', uploadHead('', 1, 0)],
		['no size', uploadHead('h_0', 1, 0).replace(/<nbytes>.*\n/, '')],
		['no data', uploadHead('h_0', 1, 0).replace('<data>\n', '')],
		['a question for a parent folder', wrapped('<get_file_size>../config.xml</get_file_size>')],
	])('gives up for good on %s', async (_, body) => {
		expect(await post(`${body}z`)).toMatchObject({ status: -1, http: 200 });
	});

	it('sends clients away for now on the trigger file and without a command', async () => {
		expect(await post('<data_server_request>\n</data_server_request>')).toMatchObject({ status: 1 });
		await writeFile(path.join(project.root, 'stop_upload'), '');
		expect(await post(`${uploadHead('i_0', 1, 0)}x`)).toMatchObject({ status: 1 });
		await rm(path.join(project.root, 'stop_upload'));
		expect(await post(`${uploadHead('i_0', 1, 0)}x`)).toMatchObject({ status: 0 });
	});

	it('demands certificates unless the project ignores them', async () => {
		const strict = await startWebProject('');
		try {
			const response = await fetch(`${strict.base}/unit_cgi/file_upload_handler`, {
				method: 'POST',
				body: `${uploadHead('j_0', 1, 0)}x`,
			});
			expect(await response.text()).toContain('<status>-1</status>\n    <message>missing signature</message>');
		} finally {
			await strict.remove();
		}
	});
});
