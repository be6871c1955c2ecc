/* SPDX-License-Identifier: MIT */
/*
 * tokens: the file of --token-file, read, and read again.
 *
 * One token a line: a name ([A-Za-z0-9._-]{1,64}), its scopes, and the SHA-256 of the token in hex,
 * with blanks between; what follows a '#' and empty lines are passed over. What was read stands
 * until a later reading has succeeded whole, so a broken file changes nothing.
 */
#ifndef STREAMD_AUTH_TOKENS_H
#define STREAMD_AUTH_TOKENS_H

#include "base/list.h"
#include "streamd/auth/caller.h"
#include "streamd/auth/token.h"

enum { TOKENS_MAX = 4096, TOKENS_WHY_MAX = 256, TOKEN_FILE_MAX = 1 << 20 };

/* All zero but for the list: tokens_init. */
struct tokens {
    struct list all; /* of tokens.c's struct token_row; owned, those withdrawn included */
    size_t count;    /* that are not withdrawn */
};

void tokens_init(struct tokens *t);

/* Every caller it ever gave dies with it. */
void tokens_fini(struct tokens *t);

/*
 * Reads the file in the place of what was read before. A token that stood there already keeps its
 * caller, with the name and scopes of now; one that is gone keeps it with no scope at all.
 * False: nothing has changed, and `why` names the file, the line and what is wrong. The file must
 * belong to us or root, and neither may its group write it nor others do anything with it.
 */
bool tokens_read(struct tokens *t, const char *path, char why[TOKENS_WHY_MAX]);

/* Is this what a token may be called? */
bool token_name_valid(struct span name);

bool tokens_has_name(const struct tokens *t, const char *name);

/* Whose token is this? NULL: nobody's. Takes the same time wherever it stands. */
const struct caller *tokens_find(const struct tokens *t, struct span token);

#endif
