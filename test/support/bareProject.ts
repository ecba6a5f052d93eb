import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Makes as much of a project in `root` as sending files to it needs: a configuration and a download directory. */
export async function makeBareProject(root: string): Promise<void> {
	await mkdir(join(root, 'download'), { recursive: true });
	await writeFile(
		join(root, 'config.xml'),
		'<boinc><config><master_url>http://x/</master_url><db_name>x</db_name><uldl_dir_fanout>1024</uldl_dir_fanout></config></boinc>',
	);
}
