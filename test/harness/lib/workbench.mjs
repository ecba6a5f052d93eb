// Drives the workbench as a person would: mouse, keyboard, and what is on the screen. Every wait is for something
// visible, none for a time. Lists in VS Code are virtual: only the rows on the screen are in the page.
import { startServer, workbenchUrl } from './server.mjs';
import { launchChromium } from './browser.mjs';

const quote = (text) => text.replace(/["\\]/g, '\\$&');

/**
 * Starts a server and a browser and opens a folder. `options`: those of startServer and of workbenchUrl. Give the packaged
 * extension as `vsix`; with `extensionDevelopmentPath` its source folder is loaded instead, but no toast is ever shown.
 */
export async function openWorkbench(options = {}) {
	const driver = Boolean(options.extensionDevelopmentPath);
	const server = await startServer({ driver, ...options });
	let browser;
	try {
		browser = await launchChromium();
		const context = await browser.newContext({ viewport: options.viewport ?? { width: 1280, height: 800 } });
		await context.grantPermissions(['clipboard-read', 'clipboard-write']);
		const workbench = new Workbench(await context.newPage(), server, browser);
		await workbench.page.goto(workbenchUrl(server, options));
		await workbench.ready();
		return workbench;
	} catch (e) {
		await browser?.close();
		await server.stop();
		throw e;
	}
}

export class Workbench {
	consoleLines = [];

	constructor(page, server, browser) {
		this.page = page;
		this.server = server;
		this.browser = browser;
		page.setDefaultTimeout(120_000); // of no importance while all goes well; a busy computer needs it
		page.on('console', (m) => this.consoleLines.push(`[${m.type()}] ${m.text()}`));
	}

	/** The workbench is drawn and knows what the extensions contribute: before that, menus lack their commands. */
	async ready() {
		await this.page.locator('.monaco-workbench .activitybar').waitFor({ timeout: 120_000 });
		await this.mark('code/didLoadExtensions');
	}

	/** Waits for one of VS Code's own performance marks and returns its time in ms since the page was opened. */
	async mark(name) {
		await this.page.waitForFunction((n) => performance.getEntriesByName(n).length > 0, name, { timeout: 120_000 });
		return this.page.evaluate((n) => performance.getEntriesByName(n)[0].startTime, name);
	}

	/** What Developer: Show Running Extensions shows: [{ name, activationMs }]. */
	async runningExtensions() {
		const size = this.page.viewportSize();
		await this.page.setViewportSize({ ...size, height: 4000 }); // the list is virtual: make all rows fit
		await this.runCommand('Developer: Show Running Extensions');
		const rows = this.page.locator('.runtime-extensions-editor .monaco-list-row');
		await rows.locator('.activation-time', { hasText: /\d+ms/ }).first().waitFor();
		const result = await rows.evaluateAll((all) =>
			all.map((row) => ({
				name: row.querySelector('.name')?.textContent,
				activationMs: Number(/(\d+)ms/.exec(row.querySelector('.activation-time')?.textContent)?.[1]),
			})),
		);
		await this.runCommand('View: Close Editor');
		await this.page.setViewportSize(size);
		return result;
	}

	/** Closes menus, quick inputs, dialogs and notifications that an earlier test left open. */
	async reset() {
		for (
			let i = 0;
			i < 10 &&
			(await this.page.locator('.monaco-menu:visible, .quick-input-widget:visible, .monaco-dialog-box:visible').count()) > 0;
			i++
		) {
			await this.page.keyboard.press('Escape');
			await this.page.waitForTimeout(100);
		}
		if ((await this.notification(/./).count()) > 0) {
			await this.clearNotifications();
		}
	}

	/** One more window on the same server, in the same browser: what is remembered for all windows is theirs in common. Ends with this one. */
	async anotherWindow(options) {
		const other = new Workbench(await this.page.context().newPage(), this.server, this.browser);
		await other.page.goto(workbenchUrl(this.server, options));
		await other.ready();
		return other;
	}

	async close() {
		await this.browser.close();
		await this.server.stop();
	}

	screenshot(file) {
		return this.page.screenshot({ path: file });
	}

	// ---- quick input: command palette, quick picks, input boxes -------------------------------------------------

	get quickInput() {
		return this.page.locator('.quick-input-widget');
	}
	get quickInputBox() {
		return this.quickInput.locator('.quick-input-box input');
	}

	/** Types into the open quick pick or input box and, unless told otherwise, accepts it. */
	async type(text, { accept = true, title } = {}) {
		if (title) {
			await this.quickInput.locator('.quick-input-title', { hasText: title }).waitFor();
		}
		await this.quickInputBox.fill(text);
		if (accept) {
			await this.quickInputBox.press('Enter');
		}
	}

	/** The row with exactly this label in the open quick pick. (Its accessible name also holds icon, description, detail.) */
	quickPickRow(label) {
		const exact = new RegExp(`^\\s*${label.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`);
		return this.quickInput.locator('.monaco-list-row', { has: this.page.locator('.label-name', { hasText: exact }) }).first();
	}

	/** Chooses a row, or ticks it where several can be chosen: then press acceptPicks(). */
	async pick(label, { title } = {}) {
		if (title) {
			await this.quickInput.locator('.quick-input-title', { hasText: title }).waitFor();
		}
		await this.quickPickRow(label).click();
	}

	async acceptPicks() {
		await this.quickInput.getByRole('button', { name: 'OK' }).click();
	}

	/** The message under an input box: a prompt or what validation complains about. */
	get quickInputMessage() {
		return this.quickInput.locator('.quick-input-message');
	}

	async quickPickLabels() {
		await this.quickInput.locator('.monaco-list-row').first().waitFor();
		return (await this.quickInput.locator('.monaco-list-row .label-name').allTextContents()).map((label) => label.trim());
	}

	/** Runs a command from the palette by its full title: "Category: Title". */
	async runCommand(title) {
		await this.page.keyboard.press('F1');
		await this.quickInputBox.waitFor();
		await this.quickInputBox.fill(`>${title}`);
		await this.pick(title);
	}

	// ---- explorer -----------------------------------------------------------------------------------------------

	explorerItem(name) {
		return this.page.locator('.explorer-folders-view').getByRole('treeitem', { name, exact: true });
	}

	/** Unfolds folders on the way: expand('a', 'b'). */
	async expand(...names) {
		for (const name of names) {
			const item = this.explorerItem(name);
			await item.waitFor();
			if ((await item.getAttribute('aria-expanded')) === 'false') {
				await item.click();
			}
		}
	}

	/** Opens the context menu of anything and returns its labels. */
	async contextMenu(target) {
		// A row that is drawn again between press and release gets no menu: again, then.
		const menu = this.page.locator('.monaco-menu').last();
		for (let i = 0; i < 10 && !(await menu.isVisible()); i++) {
			await target.click({ button: 'right' });
			await menu.waitFor({ timeout: 3000 }).catch(() => {});
		}
		await menu.waitFor({ timeout: 1000 });
		return this.page.locator('.monaco-menu .action-item:not(.separator) .action-label').allTextContents();
	}

	/** Chooses in the open menu. VS Code ignores a click in the first 100 ms after a menu opened, hence the loop. */
	async chooseInMenu(...labels) {
		for (const submenu of labels.slice(0, -1)) {
			await this.page.getByRole('menuitem', { name: submenu, exact: true }).hover();
		}
		const item = this.page.getByRole('menuitem', { name: labels.at(-1), exact: true });
		await item.waitFor();
		for (let i = 0; i < 10; i++) {
			// On a busy computer the menu may close only after the wait below.
			await item.click({ timeout: 2000 }).catch(() => {});
			const closed = await item.waitFor({ state: 'hidden', timeout: 1000 }).then(
				() => true,
				() => false,
			);
			if (closed) {
				return;
			}
		}
		throw new Error(`the menu stays open after a click on ${labels.at(-1)}`);
	}

	async closeMenu() {
		await this.page.keyboard.press('Escape');
		await this.page.locator('.monaco-menu').waitFor({ state: 'hidden' });
	}

	async explorerCommand(file, label) {
		await this.contextMenu(this.explorerItem(file));
		await this.chooseInMenu(label);
	}

	// ---- views --------------------------------------------------------------------------------------------------

	/** Shows a view container by the title of its icon in the activity bar. */
	async showContainer(title) {
		const tab = this.page.locator('.activitybar li[role="tab"]', {
			has: this.page.locator(`a[aria-label="${quote(title)}"], a[aria-label^="${quote(title)} ("]`),
		});
		await tab.waitFor();
		if ((await tab.getAttribute('aria-expanded')) !== 'true') {
			await tab.click();
		}
	}

	/** The pane of one view. `title` is the name in package.json. */
	view(title) {
		return this.page.locator('.pane', { has: this.page.locator(`.pane-header[aria-label="${quote(title)} Section"]`) });
	}

	treeItems(viewTitle) {
		return this.view(viewTitle).getByRole('treeitem');
	}

	/** Rows of a tree view as "label description", as far as they are on the screen. */
	async treeRows(viewTitle) {
		return this.treeItems(viewTitle).evaluateAll((rows) =>
			rows.map((row) =>
				['.label-name', '.label-description']
					.map((part) => row.querySelector(part)?.textContent)
					.filter(Boolean)
					.join(' '),
			),
		);
	}

	/** A button in the title of a view; shown only while the pointer or the focus is in the view. */
	async viewAction(viewTitle, label) {
		await this.view(viewTitle).locator('.pane-header').hover();
		await this.view(viewTitle).getByRole('button', { name: label, exact: true }).click();
	}

	// ---- webviews -----------------------------------------------------------------------------------------------

	/**
	 * The document of a webview (view, panel or custom editor): a frame in a frame that lies outside the view's own
	 * element. `selector` is something only this webview contains. VS Code loads it again after it was hidden: ask again.
	 */
	async webview(selector, { timeout = 120_000 } = {}) {
		const end = Date.now() + timeout;
		while (Date.now() < end) {
			for (const frame of this.page.frames()) {
				if (!/\/webview\/browser\/pre\/fake\.html/.test(frame.url())) {
					continue;
				}
				if (
					(await frame
						.locator(selector)
						.count()
						.catch(() => 0)) > 0
				) {
					return frame;
				}
			}
			await this.page.waitForTimeout(50);
		}
		throw new Error(`no webview with ${selector} after ${timeout} ms`);
	}

	// ---- notifications ------------------------------------------------------------------------------------------

	/** A notification on the screen (gone after some seconds). */
	notification(text) {
		return this.page.locator('.notifications-toasts .notification-toast', { hasText: text });
	}

	async pressInNotification(text, button) {
		await this.notification(text).getByRole('button', { name: button }).click();
	}

	async clearNotifications() {
		await this.runCommand('Notifications: Clear All Notifications');
	}

	/** A modal dialog (showWarningMessage with modal: true). */
	get dialog() {
		return this.page.locator('.monaco-dialog-box');
	}

	// ---- editor, output, status bar -----------------------------------------------------------------------------

	/** Opens a file by its name, with Ctrl+P. */
	async openFile(name) {
		await this.page.keyboard.press('Control+p');
		await this.quickInputBox.fill(name);
		await this.pick(name);
		await this.page.locator(`.tab[aria-label^="${quote(name)}"]`).waitFor();
	}

	/** A status bar item by its text. By id: [id="publisher.name.id of createStatusBarItem"]. */
	statusItem(text) {
		return this.page.locator('.statusbar-item', { hasText: text });
	}

	/** The language of the active editor as the status bar names it. */
	get language() {
		return this.page.locator('[id="status.editor.mode"]');
	}
}
