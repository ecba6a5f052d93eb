import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { parseXml, type XmlElement } from '../../project/xml.js';
import { type Database, numberOf, textOf } from '../database.js';
import { sqlLiteral } from '../sqlLiteral.js';
import type { Tool, ToolIo } from '../toolIo.js';
import { ToolExit } from '../toolProject.js';
import { phpProject, withPhpDatabase } from './phpProject.js';

/** `xadd`: adds what `project.xml` has and the database lacks. Does not tell the feeder. */
export const xadd: Tool = async (_args, io) => {
	const settings = phpProject('xadd', io);
	const file = path.join(settings.root, 'project.xml');
	const document = await readFile(file, 'utf8')
		.then((text) => parseXml(text, 'project.xml'))
		.catch(() => {
			io.out("Can't parse project.xml\n");
			throw new ToolExit(0);
		});
	return withPhpDatabase(settings, async (database) => {
		for (const platform of document.children('platform')) {
			await addPlatform(database, platform, io);
		}
		for (const app of document.children('app')) {
			await addApp(database, app, io);
		}
		return 0;
	});
};

const now = (): number => Math.floor(Date.now() / 1000);

async function find(database: Database, table: 'platform' | 'app', name: string): ReturnType<Database['select']> {
	try {
		return await database.select(`SELECT * FROM ${table} WHERE name = ?`, [sqlLiteral(name)]);
	} catch {
		return [];
	}
}

/** "added" is printed whether or not it worked, as the real tool does. */
async function insert(database: Database, table: 'platform' | 'app', name: string, friendly: string, io: ToolIo): Promise<void> {
	try {
		await database.execute(`INSERT INTO ${table} (create_time, name, user_friendly_name) VALUES (?, ?, ?)`, [
			now(),
			sqlLiteral(name),
			sqlLiteral(friendly),
		]);
	} catch {
		// Said below as if it had worked.
	}
	io.out(`added ${table}: (create_time, name, user_friendly_name) values (${now()}, '${name}', '${friendly}')\n`);
}

async function addPlatform(database: Database, element: XmlElement, io: ToolIo): Promise<void> {
	const name = element.childText('name') ?? '';
	const friendly = element.childText('user_friendly_name') ?? '';
	const [row] = await find(database, 'platform', name);
	if (!row) {
		await insert(database, 'platform', name, friendly, io);
	} else if (textOf(row, 'user_friendly_name') !== friendly) {
		await database.execute('UPDATE platform SET user_friendly_name = ? WHERE id = ?', [friendly, numberOf(row, 'id')]);
		io.out(`updated user friendly name of platform ${name}\n`);
	} else {
		io.out(`platform ${name} already in DB\n`);
	}
}

async function addApp(database: Database, element: XmlElement, io: ToolIo): Promise<void> {
	const name = element.childText('name') ?? '';
	const friendly = element.childText('user_friendly_name') ?? '';
	const minVersion = Number.parseInt(element.childText('min_version') ?? '', 10) || 0;
	const [row] = await find(database, 'app', name);
	if (!row) {
		// min_version is left to a later run, as the real tool does.
		await insert(database, 'app', name, friendly, io);
	} else if (textOf(row, 'user_friendly_name') !== friendly) {
		await database.execute('UPDATE app SET user_friendly_name = ? WHERE id = ?', [friendly, numberOf(row, 'id')]);
		io.out(`updated user friendly name of app ${name}\n`);
	} else if (numberOf(row, 'min_version') !== minVersion) {
		await database.execute('UPDATE app SET min_version = ? WHERE id = ?', [minVersion, numberOf(row, 'id')]);
		io.out(`updated min_version of app ${name}\n`);
	} else {
		io.out(`app ${name} already in DB\n`);
	}
}
