/* SPDX-License-Identifier: MIT */
/*
 * token: makes a token and the line that lets it in.
 *
 * The token itself is printed once and kept nowhere; what the file gets is its digest. Without
 * --file both go to stdout, the token first, so that a person sees the two of them.
 */
#include "streamd/auth/tokens.h"
#include "streamd/tools/tool_options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct token_flags {
    const char *scope;
    const char *file;
};

const struct tool_option token_options[] = {
    {"scope", "SCOPES", NULL, "what it may: read, write and control, with commas between them",
     offsetof(struct token_flags, scope)},
    {"file", "FILE", NULL, "add the line to this --token-file, and print the token alone",
     offsetof(struct token_flags, file)},
    {0}};

/* The file as it is must be one, and know nobody of this name. */
static bool may_add(const struct tool *tool, const char *path, const char *name)
{
    char why[TOKENS_WHY_MAX];
    struct tokens known;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return true;
    tokens_init(&known);
    bool good = tokens_read(&known, path, why);
    bool taken = good && tokens_has_name(&known, name);
    tokens_fini(&known);
    if (!good)
        (void)tool_fail(tool, "%s", why);
    else if (taken)
        (void)tool_fail(tool, "%s: a token of the name %s stands there already", path, name);
    return good && !taken;
}

static bool add_line(const struct tool *tool, const char *path, const char *line)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    size_t len = strlen(line);
    bool good = fd >= 0 && write(fd, line, len) == (ssize_t)len;
    int error = errno;
    if (fd >= 0 && close(fd) != 0 && good) {
        good = false;
        error = errno;
    }
    if (!good)
        (void)tool_fail(tool, "%s: %s", path, strerror(error));
    return good;
}

static int make(const struct tool *tool, const struct token_flags *flags, const char *name,
                unsigned scopes)
{
    char token[TOKEN_LEN + 1];
    char hex[DIGEST_HEX_LEN + 1];
    char words[SCOPES_TEXT_MAX];
    char line[CALLER_NAME_MAX + SCOPES_TEXT_MAX + DIGEST_HEX_LEN + 8];
    struct digest digest;
    token_make(token);
    token_digest(span_of(token), &digest);
    digest_text(&digest, hex);
    (void)snprintf(line, sizeof(line), "%s %s %s\n", name, scopes_text(scopes, words), hex);
    if (flags->file && !(may_add(tool, flags->file, name) && add_line(tool, flags->file, line)))
        return TOOL_BAD;
    (void)printf("%s\n%s", token, flags->file ? "" : line);
    return TOOL_GOOD;
}

int tool_token(const struct tool *tool, int argc, char **argv)
{
    struct token_flags flags = {NULL};
    unsigned scopes;
    int count;
    int exit;
    if (!tool_begin(tool, argc, argv, &flags, &count, &exit))
        return exit;
    if (count != 1)
        return tool_refuse(tool, "it takes one name");
    if (!token_name_valid(span_of(argv[1])))
        return tool_refuse(tool, "the name must be 1 to 64 of A-Z a-z 0-9 . _ -");
    if (!flags.scope || !scopes_parse(span_of(flags.scope), &scopes))
        return tool_refuse(tool,
                           "--scope must be read, write and control, with commas between them");
    return make(tool, &flags, argv[1], scopes);
}
