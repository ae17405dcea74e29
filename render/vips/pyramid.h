/* Making pyramids: see pyramid.c and halve.c. */
#ifndef GATEHOUSE_VIPS_PYRAMID_H
#define GATEHOUSE_VIPS_PYRAMID_H

#include "internal.h"

typedef struct ghv_halver ghv_halver;
ghv_halver *ghv_halver_new(int width, int height, int bands);
void ghv_halver_free(ghv_halver *halver);
void ghv_halver_push(ghv_halver *halver, const unsigned char *row);
const unsigned char *ghv_halver_pull(ghv_halver *halver);

#endif
