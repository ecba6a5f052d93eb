/**
 * What the editor needs only when the person does something: a program that is loaded by `await import()` on first use, so that
 * activation stays quick. It shares its modules with the extension.
 */
export { chooseServer } from './commands/chooseServer.js';
export { HANDLERS } from './commands/handlers.js';
export { chooseKeyFile } from './commands/server/chooseKeyFile.js';
export { documentReader } from './documents/documentReader.js';
export { foldingRanges, links, symbols } from './documents/logParts.js';
export { ImagesModel } from './images/imagesModel.js';
export { batchPage } from './panels/batch/batchPage.js';
export { ImagesPage } from './panels/images/imagesPage.js';
