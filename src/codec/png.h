/* png.h - whether bytes are a picture of a size that an icon has: all that is looked at are the
 * signature and IHDR; who shows it decodes it. */
#ifndef WA_CODEC_PNG_H
#define WA_CODEC_PNG_H

#include "base/sv.h"

/* A PNG of at most WA_ICON_SIDE_MAX a side. */
bool wa_png_is_icon(struct wa_sv s);

#endif
