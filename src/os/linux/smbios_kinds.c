/* smbios_kinds.c - which fields the structures of an SMBIOS table have (DMTF DSP0134, chapter 7),
 * under dmidecode's names. Data, and the few fields that a row of data can't describe.
 *
 * Left out: what says nothing about a machine that anybody lists (probes, ports' plugs, mappings of
 * addresses).
 */
#include "os/linux/smbios_priv.h"

#include "os/linux/text_priv.h"

#define STR(key, at)                                                                               \
    {                                                                                              \
        key, at, 0, WA_SMBIOS_STRING, NULL, 0, ""                                                  \
    }
#define NAME(key, at, mask, names)                                                                 \
    {                                                                                              \
        key, at, mask, WA_SMBIOS_NAME, names, WA_COUNT(names), ""                                  \
    }
#define U8(key, at)                                                                                \
    {                                                                                              \
        key, at, 0, WA_SMBIOS_U8, NULL, 0, ""                                                      \
    }
#define U16(key, at, unit)                                                                         \
    {                                                                                              \
        key, at, 0, WA_SMBIOS_U16, NULL, 0, unit                                                   \
    }

/* --- 0: BIOS --- */

static const struct wa_smbios_field bios[] = {STR("Vendor", 0x04), STR("Version", 0x05),
                                              STR("Release_Date", 0x08)};

static void bios_more(const struct wa_smbios *s, struct wa_dmi_entry *e)
{
    if (s->n > 0x09 && s->p[0x09] != 0xff)
        wa_smbios_put(e, "ROM_Size", s->p[0x09] % 16 == 15 ? "%u MB" : "%u kB",
                      s->p[0x09] % 16 == 15 ? (s->p[0x09] + 1u) / 16 : (s->p[0x09] + 1u) * 64);
    else if (s->n > 0x19 && wa_smbios_number(s, 0x18, 2) >> 14 <= 1)
        wa_smbios_put(e, "ROM_Size", "%u %s", (unsigned)(wa_smbios_number(s, 0x18, 2) & 0x3fff),
                      wa_smbios_number(s, 0x18, 2) >> 14 == 1 ? "GB" : "MB");
    if (s->n > 0x15 && s->p[0x14] != 0xff && s->p[0x15] != 0xff)
        wa_smbios_put(e, "BIOS_Revision", "%u.%u", s->p[0x14], s->p[0x15]);
    if (s->n > 0x17 && s->p[0x16] != 0xff && s->p[0x17] != 0xff)
        wa_smbios_put(e, "Firmware_Revision", "%u.%u", s->p[0x16], s->p[0x17]);
}

/* --- 1: system --- */

static const char *const wake_ups[] = {"Reserved",     "Other",      "Unknown",
                                       "APM Timer",    "Modem Ring", "LAN Remote",
                                       "Power Switch", "PCI PME#",   "AC Power Restored"};
static const struct wa_smbios_field computer[] = {STR("Manufacturer", 0x04),
                                                  STR("Product_Name", 0x05),
                                                  STR("Version", 0x06),
                                                  STR("Serial_Number", 0x07),
                                                  STR("SKU_Number", 0x19),
                                                  STR("Family", 0x1a),
                                                  NAME("Wake-up_Type", 0x18, 0xff, wake_ups)};

/* The first three groups are little endian since 2.6, which is what the kernel shows too. */
static void computer_more(const struct wa_smbios *s, struct wa_dmi_entry *e)
{
    const uint8_t *u = s->p + 0x08;
    if (s->n < 0x18)
        return;
    wa_smbios_put(e, "UUID", "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X",
                  u[3], u[2], u[1], u[0], u[5], u[4], u[7], u[6], u[8], u[9], u[10], u[11], u[12],
                  u[13], u[14], u[15]);
}

/* --- 2, 3: board and chassis --- */

static const char *const boards[] = {NULL,
                                     "Unknown",
                                     "Other",
                                     "Server Blade",
                                     "Connectivity Switch",
                                     "System Management Module",
                                     "Processor Module",
                                     "I/O Module",
                                     "Memory Module",
                                     "Daughter Board",
                                     "Motherboard",
                                     "Processor+Memory Module",
                                     "Processor+I/O Module",
                                     "Interconnect Board"};
static const struct wa_smbios_field board[] = {
    STR("Manufacturer", 0x04),       STR("Product_Name", 0x05), STR("Version", 0x06),
    STR("Serial_Number", 0x07),      STR("Asset_Tag", 0x08),    STR("Location_In_Chassis", 0x0a),
    NAME("Type", 0x0d, 0xff, boards)};

static const char *const cases[] = {NULL,
                                    "Other",
                                    "Unknown",
                                    "Desktop",
                                    "Low Profile Desktop",
                                    "Pizza Box",
                                    "Mini Tower",
                                    "Tower",
                                    "Portable",
                                    "Laptop",
                                    "Notebook",
                                    "Hand Held",
                                    "Docking Station",
                                    "All In One",
                                    "Sub Notebook",
                                    "Space-saving",
                                    "Lunch Box",
                                    "Main Server Chassis",
                                    "Expansion Chassis",
                                    "Sub Chassis",
                                    "Bus Expansion Chassis",
                                    "Peripheral Chassis",
                                    "RAID Chassis",
                                    "Rack Mount Chassis",
                                    "Sealed-case PC",
                                    "Multi-system",
                                    "CompactPCI",
                                    "AdvancedTCA",
                                    "Blade",
                                    "Blade Enclosing",
                                    "Tablet",
                                    "Convertible",
                                    "Detachable",
                                    "IoT Gateway",
                                    "Embedded PC",
                                    "Mini PC",
                                    "Stick PC"};
static const char *const states[] = {NULL,      "Other",    "Unknown",        "Safe",
                                     "Warning", "Critical", "Non-recoverable"};
static const char *const securities[] = {NULL,
                                         "Other",
                                         "Unknown",
                                         "None",
                                         "External Interface Locked Out",
                                         "External Interface Enabled"};
static const struct wa_smbios_field chassis[] = {STR("Manufacturer", 0x04),
                                                 NAME("Type", 0x05, 0x7f, cases),
                                                 STR("Version", 0x06),
                                                 STR("Serial_Number", 0x07),
                                                 STR("Asset_Tag", 0x08),
                                                 NAME("Boot-up_State", 0x09, 0xff, states),
                                                 NAME("Power_Supply_State", 0x0a, 0xff, states),
                                                 NAME("Thermal_State", 0x0b, 0xff, states),
                                                 NAME("Security_Status", 0x0c, 0xff, securities),
                                                 U8("Number_Of_Power_Cords", 0x12)};

static void chassis_more(const struct wa_smbios *s, struct wa_dmi_entry *e)
{
    char text[256];
    if (s->n > 0x05)
        wa_smbios_put(e, "Lock", "%s", s->p[0x05] & 0x80 ? "Present" : "Not Present");
    if (s->n > 0x14 &&
        wa_smbios_string(s, 0x15u + (size_t)s->p[0x13] * s->p[0x14], text, sizeof text))
        wa_smbios_put(e, "SKU_Number", "%s", text);
}

/* --- 4: processors --- */

static const char *const processors[] = {NULL,
                                         "Other",
                                         "Unknown",
                                         "Central Processor",
                                         "Math Processor",
                                         "DSP Processor",
                                         "Video Processor"};
static const struct wa_smbios_field processor[] = {STR("Socket_Designation", 0x04),
                                                   NAME("Type", 0x05, 0xff, processors),
                                                   STR("Manufacturer", 0x07),
                                                   STR("Version", 0x10),
                                                   U16("External_Clock", 0x12, " MHz"),
                                                   U16("Max_Speed", 0x14, " MHz"),
                                                   U16("Current_Speed", 0x16, " MHz"),
                                                   STR("Serial_Number", 0x20),
                                                   STR("Asset_Tag", 0x21),
                                                   STR("Part_Number", 0x22)};

/* A count in a byte; 255 sends to a wider field. */
static void put_count(const struct wa_smbios *s, struct wa_dmi_entry *e, const char *key, size_t at,
                      size_t wide_at)
{
    uint64_t n = wa_smbios_number(s, at, 1);
    if (n == 0xff && s->n >= wide_at + 2)
        n = wa_smbios_number(s, wide_at, 2);
    if (n != 0)
        wa_smbios_put(e, key, "%u", (unsigned)n);
}

static void processor_more(const struct wa_smbios *s, struct wa_dmi_entry *e)
{
    static const char *const enabled[] = {"Unknown",          "Enabled", "Disabled By User",
                                          "Disabled By BIOS", "Idle",    "Reserved",
                                          "Reserved",         "Other"};
    if (s->n > 0x18 && (s->p[0x18] & 0x40) != 0)
        wa_smbios_put(e, "Status", "Populated, %s", enabled[s->p[0x18] & 7]);
    else if (s->n > 0x18)
        wa_smbios_put(e, "Status", "Unpopulated");
    put_count(s, e, "Core_Count", 0x23, 0x2a);
    put_count(s, e, "Core_Enabled", 0x24, 0x2c);
    put_count(s, e, "Thread_Count", 0x25, 0x2e);
}

/* --- 7: caches; 9: slots --- */

static const struct wa_smbios_field cache[] = {STR("Socket_Designation", 0x04)};

static void put_cache_size(const struct wa_smbios *s, struct wa_dmi_entry *e, const char *key,
                           size_t at, size_t wide_at)
{
    uint64_t v = wa_smbios_number(s, at, 2);
    uint64_t kib = (v & 0x7fff) * (v & 0x8000 ? 64 : 1);
    if (v == 0xffff && s->n >= wide_at + 4) {
        v = wa_smbios_number(s, wide_at, 4);
        kib = (v & 0x7fffffff) * (v & 0x80000000 ? 64 : 1);
    }
    if (kib % 1024 == 0 && kib > 0)
        wa_smbios_put(e, key, "%llu MB", (unsigned long long)kib / 1024);
    else
        wa_smbios_put(e, key, "%llu kB", (unsigned long long)kib);
}

static void cache_more(const struct wa_smbios *s, struct wa_dmi_entry *e)
{
    uint64_t v = wa_smbios_number(s, 0x05, 2);
    if (s->n < 0x0b)
        return;
    wa_smbios_put(e, "Configuration", "%s, %sSocketed, Level %u", v & 0x80 ? "Enabled" : "Disabled",
                  v & 0x08 ? "" : "Not ", (unsigned)(v & 7) + 1);
    put_cache_size(s, e, "Maximum_Size", 0x07, 0x13);
    put_cache_size(s, e, "Installed_Size", 0x09, 0x17);
}

static const char *const usages[] = {NULL,        "Other",  "Unknown",
                                     "Available", "In Use", "Unavailable"};
static const struct wa_smbios_field slot[] = {STR("Designation", 0x04),
                                              NAME("Current_Usage", 0x07, 0xff, usages)};

static void slot_more(const struct wa_smbios *s, struct wa_dmi_entry *e)
{
    if (s->n > 0x10 && wa_smbios_number(s, 0x0d, 2) != 0xffff && s->p[0x0f] != 0xff)
        wa_smbios_put(e, "Bus_Address", "%04x:%02x:%02x.%x", (unsigned)wa_smbios_number(s, 0x0d, 2),
                      s->p[0x0f], s->p[0x10] >> 3, s->p[0x10] & 7u);
}

/* --- 11, 12: what vendors write for themselves --- */

static void put_strings(const struct wa_smbios *s, struct wa_dmi_entry *e, const char *name)
{
    struct wa_sv rest = s->strings, part;
    char key[40], text[256];
    for (unsigned i = 1; i <= wa_smbios_number(s, 0x04, 1); i++) {
        if (!wa_sv_split(&rest, '\0', &part) || part.n == 0)
            return;
        (void)snprintf(key, sizeof key, "%s_%u", name, i);
        wa_text_clean(part, text, sizeof text);
        wa_smbios_put(e, key, "%s", text);
    }
}

static void oem_more(const struct wa_smbios *s, struct wa_dmi_entry *e)
{
    put_strings(s, e, "String");
}

static void options_more(const struct wa_smbios *s, struct wa_dmi_entry *e)
{
    put_strings(s, e, "Option");
}

/* --- 16, 17: memory --- */

static const char *const places[] = {NULL, "Other", "Unknown", "System Board Or Motherboard"};
static const char *const uses[] = {
    NULL,           "Other",        "Unknown",          "System Memory",
    "Video Memory", "Flash Memory", "Non-volatile RAM", "Cache Memory"};
static const char *const corrections[] = {NULL,     "Other",          "Unknown",       "None",
                                          "Parity", "Single-bit ECC", "Multi-bit ECC", "CRC"};
static const struct wa_smbios_field memory[] = {
    NAME("Location", 0x04, 0xff, places), NAME("Use", 0x05, 0xff, uses),
    NAME("Error_Correction_Type", 0x06, 0xff, corrections), U16("Number_Of_Devices", 0x0d, "")};

static void put_bytes(struct wa_dmi_entry *e, const char *key, uint64_t kib)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    size_t i = 0;
    while (i + 1 < WA_COUNT(units) && kib != 0 && kib % 1024 == 0) {
        kib /= 1024;
        i++;
    }
    wa_smbios_put(e, key, "%llu %s", (unsigned long long)kib, units[i]);
}

static void memory_more(const struct wa_smbios *s, struct wa_dmi_entry *e)
{
    uint64_t kib = wa_smbios_number(s, 0x07, 4);
    if (kib == 0x80000000)
        kib = wa_smbios_number(s, 0x0f, 8) / 1024;
    if (kib != 0)
        put_bytes(e, "Maximum_Capacity", kib);
}

static const char *const forms[] = {NULL,      "Other",  "Unknown",
                                    "SIMM",    "SIP",    "Chip",
                                    "DIP",     "ZIP",    "Proprietary Card",
                                    "DIMM",    "TSOP",   "Row Of Chips",
                                    "RIMM",    "SODIMM", "SRIMM",
                                    "FB-DIMM", "Die"};
static const char *const memories[] = {
    NULL,           "Other",  "Unknown", "DRAM",
    "EDRAM",        "VRAM",   "SRAM",    "RAM",
    "ROM",          "Flash",  "EEPROM",  "FEPROM",
    "EPROM",        "CDRAM",  "3DRAM",   "SDRAM",
    "SGRAM",        "RDRAM",  "DDR",     "DDR2",
    "DDR2 FB-DIMM", NULL,     NULL,      NULL,
    "DDR3",         "FBD2",   "DDR4",    "LPDDR",
    "LPDDR2",       "LPDDR3", "LPDDR4",  "Logical non-volatile device",
    "HBM",          "HBM2",   "DDR5",    "LPDDR5"};
static const struct wa_smbios_field module[] = {NAME("Form_Factor", 0x0e, 0xff, forms),
                                                STR("Locator", 0x10),
                                                STR("Bank_Locator", 0x11),
                                                NAME("Type", 0x12, 0xff, memories),
                                                U16("Speed", 0x15, " MT/s"),
                                                STR("Manufacturer", 0x17),
                                                STR("Serial_Number", 0x18),
                                                STR("Asset_Tag", 0x19),
                                                STR("Part_Number", 0x1a),
                                                U16("Configured_Memory_Speed", 0x20, " MT/s")};

static void module_more(const struct wa_smbios *s, struct wa_dmi_entry *e)
{
    static const char *const widths[] = {"Total_Width", "Data_Width"};
    uint64_t size = wa_smbios_number(s, 0x0c, 2);
    for (size_t i = 0; i < WA_COUNT(widths); i++) {
        uint64_t bits = wa_smbios_number(s, 0x08 + 2 * i, 2);
        if (bits != 0 && bits != 0xffff)
            wa_smbios_put(e, widths[i], "%u bits", (unsigned)bits);
    }
    if (size == 0)
        wa_smbios_put(e, "Size", "No Module Installed");
    else if (size == 0x7fff)
        put_bytes(e, "Size", (wa_smbios_number(s, 0x1c, 4) & 0x7fffffff) * 1024);
    else if (size != 0xffff)
        put_bytes(e, "Size", size & 0x8000 ? size & 0x7fff : size * 1024);
    if (s->n > 0x1b && (s->p[0x1b] & 0x0f) != 0)
        wa_smbios_put(e, "Rank", "%u", s->p[0x1b] & 0x0fu);
}

/* --- 22: batteries; 43: TPM --- */

static const char *const chemistries[] = {NULL,          "Other",          "Unknown",
                                          "Lead Acid",   "Nickel Cadmium", "Nickel Metal Hydride",
                                          "Lithium Ion", "Zinc Air",       "Lithium Polymer"};
static const struct wa_smbios_field battery[] = {STR("Location", 0x04),
                                                 STR("Manufacturer", 0x05),
                                                 STR("Manufacture_Date", 0x06),
                                                 STR("Serial_Number", 0x07),
                                                 STR("Name", 0x08),
                                                 NAME("Chemistry", 0x09, 0xff, chemistries),
                                                 U16("Design_Voltage", 0x0c, " mV")};

static void battery_more(const struct wa_smbios *s, struct wa_dmi_entry *e)
{
    uint64_t capacity = wa_smbios_number(s, 0x0a, 2);
    uint64_t factor = s->n > 0x15 ? wa_smbios_number(s, 0x15, 1) : 1;
    if (capacity != 0)
        wa_smbios_put(e, "Design_Capacity", "%llu mWh", (unsigned long long)(capacity * factor));
}

static const struct wa_smbios_field tpm[] = {STR("Description", 0x12)};

static void tpm_more(const struct wa_smbios *s, struct wa_dmi_entry *e)
{
    char vendor[16];
    if (s->n < 0x0a)
        return;
    size_t n = 0;
    while (n < 4 && s->p[0x04 + n] != 0)
        n++;
    wa_text_clean(wa_sv_n(s->p + 0x04, n), vendor, sizeof vendor);
    wa_smbios_put(e, "Vendor_ID", "%s", vendor);
    wa_smbios_put(e, "Specification_Version", "%u.%u", s->p[0x08], s->p[0x09]);
}

#define FIELDS(of) of, WA_COUNT(of)

static const struct wa_smbios_kind kinds[] = {
    {0, false, "BIOS_Information", FIELDS(bios), bios_more},
    {1, false, "System_Information", FIELDS(computer), computer_more},
    {2, false, "Base_Board_Information", FIELDS(board), NULL},
    {3, false, "Chassis_Information", FIELDS(chassis), chassis_more},
    {4, false, "Processor_Information", FIELDS(processor), processor_more},
    {7, false, "Cache_Information", FIELDS(cache), cache_more},
    {9, false, "System_Slot_Information", FIELDS(slot), slot_more},
    {11, true, "OEM_Strings", NULL, 0, oem_more},
    {12, true, "System_Configuration_Options", NULL, 0, options_more},
    {16, false, "Physical_Memory_Array", FIELDS(memory), memory_more},
    {17, false, "Memory_Device", FIELDS(module), module_more},
    {22, false, "Portable_Battery", FIELDS(battery), battery_more},
    {43, false, "TPM_Device", FIELDS(tpm), tpm_more},
};

const struct wa_smbios_kind *wa_smbios_kind(size_t i)
{
    return i < WA_COUNT(kinds) ? &kinds[i] : NULL;
}
