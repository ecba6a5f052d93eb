/* Checkpoints for programs in C and C++. Copy this file beside the program:
 *
 *     #include "checkpoint.h"
 *
 *     struct { long step; double sum; } state = { 0, 0 };
 *     checkpoint_start();
 *     checkpoint_load("state", &state, sizeof state);
 *     while (state.step < 1000) {
 *         one_step(&state);
 *         state.step++;
 *         if (checkpoint_save("state", &state, sizeof state) != 0) perror("checkpoint");
 *         checkpoint_pause();
 *     }
 *
 * CHECKPOINT_DIR names another folder, for trying. A host may be replaced by one of another kind between two tries of a job, but
 * a checkpoint stays on its host: the state may have the layout of the machine.
 */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t checkpoint_wanted = 0;

static void checkpoint_ask(int number) {
	(void)number;
	checkpoint_wanted = 1;
}

/* To be called first. */
static void checkpoint_start(void) {
	signal(SIGTERM, checkpoint_ask);
}

static int checkpoint_path(char *path, size_t size, const char *name, const char *end) {
	const char *directory = getenv("CHECKPOINT_DIR");
	if (!directory) directory = "/root/shared/checkpoint";
	mkdir(directory, 0777);
	return snprintf(path, size, "%s/%s%s", directory, name, end) < (int)size ? 0 : -1;
}

/* Reads what was saved last under the name. 0: `data` holds it. -1: nothing of that size was saved, `data` is as it was. */
static int checkpoint_load(const char *name, void *data, size_t size) {
	char path[4096];
	struct stat found;
	FILE *file;
	int result = -1;
	if (checkpoint_path(path, sizeof path, name, "") != 0 || stat(path, &found) != 0 || (size_t)found.st_size != size) return -1;
	file = fopen(path, "rb");
	if (!file) return -1;
	if (fread(data, 1, size, file) == size) result = 0;
	fclose(file);
	return result;
}

/* Keeps `size` bytes under the name; 0 or -1. What was there before stays until the new bytes are complete. */
static int checkpoint_save(const char *name, const void *data, size_t size) {
	char path[4096], fresh[4096];
	FILE *file;
	int failed;
	if (checkpoint_path(path, sizeof path, name, "") != 0 || checkpoint_path(fresh, sizeof fresh, name, ".new") != 0) return -1;
	file = fopen(fresh, "wb");
	if (!file) return -1;
	failed = fwrite(data, 1, size, file) != size || fflush(file) != 0 || fsync(fileno(file)) != 0;
	if (fclose(file) != 0 || failed) return -1;
	return rename(fresh, path);
}

/* To be called right after saving: ends the program if the host has asked for that. */
static void checkpoint_pause(void) {
	if (checkpoint_wanted) {
		signal(SIGTERM, SIG_DFL);
		raise(SIGTERM);
	}
}

#endif
