// Builds the image for VirtualBox; iso/main.ts has the options.
//
//   npm run iso -- [--mirror URL | --packages FOLDER] [--out FOLDER] [--update]
import { bundled, root } from './bundled.mjs';

let code = 1;
try {
	code = await bundled('iso/main.ts', ({ run }) => run(process.argv.slice(2), root));
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
}
process.exit(code);
