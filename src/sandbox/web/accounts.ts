import { createHash, randomBytes } from 'node:crypto';

import { type Database, textOf } from '../database.js';
import { escapeXml } from './lenientXml.js';
import type { ServerConfig } from './serverConfig.js';

const ERROR = { badEmail: -205, badPassword: -206, disabled: -208, badName: -188, unknown: -136, databaseDown: -138 } as const;

const account = (authenticator: string): string =>
	`<account_out>\n<authenticator>${escapeXml(authenticator)}</authenticator>\n</account_out>\n`;

/** BOINC's error document of a web call. */
export function errorDocument(number: number, message: string): string {
	return `<error>\n<error_num>${number}</error_num>\n<error_msg>${escapeXml(message)}</error_msg>\n</error>\n`;
}

/** The answer when the database cannot be reached. */
export const databaseDown = (): string => errorDocument(ERROR.databaseDown, 'The database server is not accessible');

/** What the database keeps of the hash that clients send: a hash that cannot be turned back. */
const storedHash = (hash: string): string => createHash('sha256').update(`sandbox ${hash}`).digest('hex');

const normalEmail = (query: URLSearchParams): string => (query.get('email_addr') ?? '').trim().toLowerCase();
const normalHash = (query: URLSearchParams): string => (query.get('passwd_hash') ?? '').trim().toLowerCase();

/** `lookup_account.php?email_addr=E&passwd_hash=H` */
export async function lookupAccount(query: URLSearchParams, database: Database): Promise<string> {
	const [user] = await database.select('SELECT authenticator, passwd_hash FROM user WHERE email_addr = ?', [normalEmail(query)]);
	if (!user) {
		return errorDocument(ERROR.unknown, 'no account with that email address was found');
	}
	if (![normalHash(query), storedHash(normalHash(query))].includes(textOf(user, 'passwd_hash'))) {
		return errorDocument(ERROR.badPassword, 'password hash does not match');
	}
	return account(textOf(user, 'authenticator'));
}

/** `create_account.php?email_addr=E&passwd_hash=H&user_name=N`: an existing account with the same password is returned. */
export async function createAccount(query: URLSearchParams, config: ServerConfig, database: Database): Promise<string> {
	const email = normalEmail(query);
	const hash = normalHash(query);
	const name = (query.get('user_name') ?? '').trim();
	if (config.disableAccountCreation) {
		return errorDocument(ERROR.disabled, 'account creation is disabled');
	}
	if (!/^[^\s@<>]+@[^\s@<>]+$/.test(email) || email.length > 190) {
		return errorDocument(ERROR.badEmail, 'Invalid email address');
	}
	if (name === '' || name.length > 190 || /[<>]/.test(name)) {
		return errorDocument(ERROR.badName, 'Invalid user name');
	}
	if (!/^[0-9a-f]{32}$/.test(hash)) {
		return errorDocument(ERROR.badPassword, 'Invalid password hash');
	}
	const [existing] = await database.select('SELECT id FROM user WHERE email_addr = ?', [email]);
	if (existing) {
		return lookupAccount(query, database);
	}
	const authenticator = await insertUser(database, { email, name, passwordHash: storedHash(hash) });
	return account(authenticator);
}

/** Adds an account and returns its authenticator. A name that is taken gets a number: names are unique in the table. */
export async function insertUser(
	database: Database,
	user: { readonly email: string; readonly name: string; readonly passwordHash?: string },
): Promise<string> {
	const authenticator = randomBytes(16).toString('hex');
	const [taken] = await database.select('SELECT id FROM user WHERE name = ?', [user.name]);
	await database.execute(
		'INSERT INTO user (create_time, email_addr, name, authenticator, cross_project_id, passwd_hash) VALUES (?, ?, ?, ?, ?, ?)',
		[
			Math.floor(Date.now() / 1000),
			user.email,
			taken ? `${user.name} ${randomBytes(3).toString('hex')}` : user.name,
			authenticator,
			randomBytes(16).toString('hex'),
			user.passwordHash ?? '',
		],
	);
	return authenticator;
}
