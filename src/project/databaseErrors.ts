import { BoincError, isAbort, messageOf } from '../common/errors.js';

/** Codes of the MySQL protocol that say "not with this account". */
const REFUSALS = new Set([
	'ER_ACCESS_DENIED_ERROR',
	'ER_ACCESS_DENIED_NO_PASSWORD_ERROR',
	'ER_DBACCESS_DENIED_ERROR',
	'ER_BAD_DB_ERROR',
	'ER_TABLEACCESS_DENIED_ERROR',
	'ER_COLUMNACCESS_DENIED_ERROR',
	'ER_SPECIFIC_ACCESS_DENIED_ERROR',
	'ER_HOST_NOT_PRIVILEGED',
	'ER_HOST_IS_BLOCKED',
	'ER_MUST_CHANGE_PASSWORD',
	'ER_ACCOUNT_HAS_BEEN_LOCKED',
]);

/** MySQL's and MariaDB's numbers for "the statement took longer than it may". */
const TOO_LONG = new Set([1969, 3024]);

function field(error: unknown, name: 'code' | 'errno' | 'fatal'): unknown {
	return typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;
}

function codeOf(error: unknown): string {
	const code = field(error, 'code');
	return typeof code === 'string' ? code : '';
}

/** Whether the connection is gone, so that another one may succeed. */
export function isConnectionLoss(error: unknown): boolean {
	return field(error, 'fatal') === true || /^(ECONN|EPIPE|ETIMEDOUT|PROTOCOL_)/.test(codeOf(error));
}

/** What a failed connect or statement means to a person. Never holds the password. `where` names database and server. */
export function databaseError(error: unknown, where: string): Error {
	if (BoincError.is(error) || (error instanceof Error && isAbort(error))) {
		return error;
	}
	const code = codeOf(error);
	const detail = { code };
	if (REFUSALS.has(code)) {
		return new BoincError('database-refused', `${where} refused us: ${messageOf(error)}.`, {
			remedy: 'Check db_user, db_passwd and db_name in config.xml, and that this account may read the tables.',
			detail,
			cause: error,
		});
	}
	if (TOO_LONG.has(Number(field(error, 'errno')))) {
		return new BoincError('timeout', `${where} took too long to answer.`, {
			remedy: 'Try again later; if it stays slow, ask the administrator to look at the load of the database.',
			detail,
			cause: error,
		});
	}
	if (isConnectionLoss(error)) {
		return unreachable(where, messageOf(error), error);
	}
	return new BoincError('database-refused', `${where} did not accept a statement: ${messageOf(error)}.`, {
		detail,
		cause: error,
	});
}

/** The error for a database that cannot be reached. */
export function unreachable(where: string, why: string, cause?: unknown): BoincError {
	return new BoincError('database-unreachable', `${where} cannot be reached: ${why}.`, {
		remedy: 'Check that MySQL or MariaDB runs, and that db_host in config.xml says where.',
		...(cause !== undefined && { cause }),
	});
}
