/* SPDX-License-Identifier: MIT */
/*
 * page: the dashboard's files, where they are inside the program.
 *
 * Of the ordinary build there are none: it reads web/dist, so that the page can be made anew
 * without the daemon (page_none.c). `make portable` links a list that scripts/embed-page wrote
 * instead.
 */
#ifndef STREAMD_HTTP_PAGE_H
#define STREAMD_HTTP_PAGE_H

/* Static. */
struct page_file {
    const char *path; /* "/index.html"; NULL: the list ends here */
    const char *bytes, *end;
};

extern const struct page_file page_files[];

#endif
