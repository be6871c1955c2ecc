/* SPDX-License-Identifier: MIT */
#include "insight/point.h"

#include <assert.h>

const char *point_field_name(enum point_field field)
{
    static const char *const names[POINT_FIELDS] = {
#define POINT_NAME(field, name) [field] = (name),
        POINT_TABLE(POINT_NAME)
#undef POINT_NAME
    };
    assert(field < POINT_FIELDS);
    return names[field];
}
