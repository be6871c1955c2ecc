/* SPDX-License-Identifier: MIT */
#include "streamd/http/page.h"

#include <stddef.h>

const struct page_file page_files[] = {{NULL, NULL, NULL}};
