/* schemas.h - the table that tools/schemas.py makes of schemas/: what bodies of the API look like,
 * one JSON object. Answers may gain members; requests take exactly these.
 */
#ifndef WA_SERVER_SCHEMAS_H
#define WA_SERVER_SCHEMAS_H

#include <stddef.h>

extern const char wa_api_schemas_text[]; /* without an end of its own */
extern const size_t wa_api_schemas_bytes;

#endif
