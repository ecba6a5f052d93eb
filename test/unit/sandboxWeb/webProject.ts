import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { startWebServer, type WebServer } from '../../../src/sandbox/web/webServer.js';

export interface WebProject {
	readonly root: string;
	readonly base: string;
	readonly server: WebServer;
	remove(): Promise<void>;
}

/** A project folder without a database behind a web server on a free port. `config` is XML added to `<config>`. */
export async function startWebProject(
	config = '<ignore_upload_certificates>1</ignore_upload_certificates>',
): Promise<WebProject> {
	const root = await mkdtemp(path.join(tmpdir(), 'b2d-webunit-'));
	for (const folder of ['download/3f', 'upload', 'log_h']) {
		await mkdir(path.join(root, folder), { recursive: true });
	}
	await writeFile(
		path.join(root, 'config.xml'),
		`<boinc><config><long_name>Unit</long_name><host>h</host><db_host>127.0.0.1:1</db_host><db_name>none</db_name>
<master_url>http://127.0.0.1:1/unit/</master_url><download_url>http://127.0.0.1:1/unit/download</download_url>
<upload_url>http://127.0.0.1:1/unit_cgi/file_upload_handler</upload_url><uldl_dir_fanout>0</uldl_dir_fanout>${config}</config></boinc>`,
	);
	const server = await startWebServer({ projectRoot: root, port: 0, feederRunning: () => true });
	return {
		root,
		base: `http://127.0.0.1:${server.port}`,
		server,
		remove: async () => {
			await server.stop();
			await rm(root, { recursive: true, force: true });
		},
	};
}
