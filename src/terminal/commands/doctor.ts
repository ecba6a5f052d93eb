import { diagnose } from '../../project/doctor.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { type GlobalOptions, withProject } from '../session.js';
import { printable } from '../table.js';

const MARKS = { ok: '✓', warning: '!', error: '✗' } as const;

export const doctorCommand: RegisterCommand = (program, setExitCode) => {
	program
		.command('doctor')
		.description('check the project: tools, daemons, database, disk, clock, app')
		.action(async (_own: unknown, command: { optsWithGlobals(): GlobalOptions }) => {
			const options = command.optsWithGlobals();
			setExitCode(
				await withProject(options, async ({ project, terminal, ctx }) => {
					const findings = await diagnose(project, ctx);
					terminal.clear();
					if (options.json === true) {
						printJson({ findings });
					} else {
						for (const { level, what, remedy } of findings) {
							console.log(printable(`${MARKS[level]} ${what}`));
							if (remedy !== undefined) {
								console.log(printable(`  → ${remedy}`));
							}
						}
					}
					return findings.some(({ level }) => level === 'error') ? EXIT.failed : EXIT.ok;
				}),
			);
		});
};
