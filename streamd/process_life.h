/* SPDX-License-Identifier: MIT */
/*
 * process_life: whether a process of this machine still lives.
 */
#ifndef STREAMD_PROCESS_LIFE_H
#define STREAMD_PROCESS_LIFE_H

#include <stdbool.h>

/*
 * Does it live? One that has ended and is not waited for by its parent (a zombie) does not, where
 * /proc can be read; one that may not be signalled does.
 */
bool process_lives(int pid);

#endif
