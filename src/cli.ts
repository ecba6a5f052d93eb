import { runProgram } from './terminal/program.js';

// scripts/build.mjs puts the version of package.json here.
void runProgram(process.argv.slice(2), '__VERSION__').then((code) => {
	process.exitCode = code;
});
