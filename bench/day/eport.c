#include "bench/day/eport.h"

/* The first two digits of an office name its customs district: 51 Guangzhou, 52 Huangpu, 53
 * Shenzhen, 57 Gongbei, 60 Shantou, 67 Zhanjiang. Some of the last two are made up. */
const struct eport eports[EPORT_COUNT] = {
    {"nansha",
     "4401660001",
     "南沙口岸数据中心",
     "DXPENT0000516601",
     "NANSHA",
     "CNNSA",
     "NS",
     {"5100", "5133", "5141", "5165"},
     {"440000", "440110"},
     {60, 15, 20, 5}},
    {"huangpu",
     "4401960002",
     "黄埔口岸数据中心",
     "DXPENT0000520801",
     "HUANGPU",
     "CNHUA",
     "HP",
     {"5200", "5201", "5202", "5208"},
     {"442100", "442301"},
     {20, 40, 35, 5}},
    {"shenzhen-bay",
     "4403180896",
     "深圳湾口岸数据中心",
     "DXPENT0000534501",
     "SZBAY",
     "CNSHK",
     "SZ",
     {"5345", "5301", "5303", "5320"},
     {"470000", "470100"},
     {75, 0, 10, 15}},
    {"zhuhai-gongbei",
     "4404060004",
     "拱北口岸数据中心",
     "DXPENT0000570101",
     "GONGBEI",
     "CNZUH",
     "GB",
     {"5700", "5701", "5720", "5795"},
     {"480000", "480100"},
     {40, 25, 5, 30}},
    {"shantou",
     "4405060005",
     "汕头口岸数据中心",
     "DXPENT0000600101",
     "SHANTOU",
     "CNSWA",
     "ST",
     {"6000", "6001", "6012", "6033"},
     {"440500", "440000"},
     {30, 10, 50, 10}},
    {"zhanjiang",
     "4408060006",
     "湛江口岸数据中心",
     "DXPENT0000670101",
     "ZHANJIANG",
     "CNZHA",
     "ZJ",
     {"6700", "6701", "6711", "6720"},
     {"440800", "440000"},
     {15, 5, 60, 20}},
};

const char *day_dialect_name(enum day_dialect dialect)
{
    static const char *const names[DIALECT_COUNT] = {
#define X(name, text) text,
        DAY_DIALECT_LIST(X)
#undef X
    };
    return names[dialect];
}
