/* Cross-border e-commerce (CEB): orders, payments, waybills and lists as enterprises send them,
 * with a prefix, and the receipts as customs does, in the default namespace. The message's id is
 * the guid of the root element; the sender's address stands at the end. */
#include "bench/day/form.h"

#define XML_START "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define REQUEST_START(type)                                                                        \
    XML_START "<ceb:" type "Message guid=\"$guid$\" version=\"1.0\""                               \
              " xmlns:ceb=\"http://www.chinaport.gov.cn/ceb\">\n"
#define REQUEST_END(type)                                                                          \
    "  <ceb:BaseTransfer><ceb:copCode>$code$</ceb:copCode><ceb:copName>$company$</ceb:copName>"    \
    "<ceb:dxpMode>DXP</ceb:dxpMode><ceb:dxpId>$dxp$</ceb:dxpId>"                                   \
    "<ceb:note>$serial$</ceb:note></ceb:BaseTransfer>\n</ceb:" type "Message>\n"
#define APPLICATION                                                                                \
    "<ceb:guid>$guid$</ceb:guid><ceb:appType>$variant$</ceb:appType>"                              \
    "<ceb:appTime>$time$</ceb:appTime><ceb:appStatus>2</ceb:appStatus>"

#define RECEIPT_START(type)                                                                        \
    XML_START "<" type "Message xmlns=\"http://www.chinaport.gov.cn/ceb\""                         \
              " guid=\"$answered_guid$\" version=\"1.0\">\n"
#define RECEIPT_RETURN                                                                             \
    "<returnStatus>$variant$</returnStatus><returnTime>$time_ms$</returnTime>"                     \
    "<returnInfo>申报成功[$answered_guid$]</returnInfo>"

const struct form form_ceb311 = {
    .meaning = VARIANTS_FUNCTION,
    .variants = {"1", "2", "3"},
    .entries_max = 8,
    .head = REQUEST_START("CEB311"),
    .entry = "  <ceb:Order><ceb:OrderHead>" APPLICATION "<ceb:orderType>I</ceb:orderType>"
             "<ceb:orderNo>$order$</ceb:orderNo><ceb:ebpCode>$code$</ceb:ebpCode>"
             "<ceb:ebcCode>$trader$</ceb:ebcCode><ceb:goodsValue>$amount$</ceb:goodsValue>"
             "<ceb:freight>0</ceb:freight><ceb:currency>142</ceb:currency>"
             "<ceb:payCode>$code$</ceb:payCode>"
             "<ceb:payTransactionId>$payment$</ceb:payTransactionId></ceb:OrderHead>\n"
             "    <ceb:OrderList><ceb:gnum>1</ceb:gnum><ceb:itemName>婴幼儿配方奶粉</ceb:itemName>"
             "<ceb:unit>007</ceb:unit><ceb:qty>2</ceb:qty><ceb:totalPrice>$amount$</ceb:totalPrice>"
             "<ceb:country>601</ceb:country></ceb:OrderList></ceb:Order>\n",
    .tail = REQUEST_END("CEB311"),
};

const struct form form_ceb411 = {
    .meaning = VARIANTS_FUNCTION,
    .variants = {"1", "2", "3"},
    .entries_max = 8,
    .head = REQUEST_START("CEB411"),
    .entry =
        "  <ceb:Payment><ceb:PaymentHead>" APPLICATION "<ceb:payCode>$code$</ceb:payCode>"
        "<ceb:payName>$company$</ceb:payName><ceb:payTransactionId>$payment$</ceb:payTransactionId>"
        "<ceb:orderNo>$order$</ceb:orderNo><ceb:ebpCode>$code$</ceb:ebpCode>"
        "<ceb:amountPaid>$amount$</ceb:amountPaid><ceb:currency>142</ceb:currency>"
        "<ceb:payTime>$time$</ceb:payTime><ceb:note></ceb:note></ceb:PaymentHead></ceb:Payment>\n",
    .tail = REQUEST_END("CEB411"),
};

const struct form form_ceb511 = {
    .meaning = VARIANTS_FUNCTION,
    .variants = {"1", "2", "3"},
    .entries_max = 8,
    .head = REQUEST_START("CEB511"),
    .entry = "  <ceb:Logistics><ceb:LogisticsHead>" APPLICATION
             "<ceb:logisticsCode>$trader$</ceb:logisticsCode>"
             "<ceb:logisticsName>$company$</ceb:logisticsName><ceb:logisticsNo>$waybill$</"
             "ceb:logisticsNo>"
             "<ceb:billNo>$bill$</ceb:billNo><ceb:orderNo>$order$</ceb:orderNo><ceb:freight>12</"
             "ceb:freight>"
             "<ceb:currency>142</ceb:currency><ceb:weight>$weight$</ceb:weight><ceb:packNo>1</"
             "ceb:packNo>"
             "<ceb:goodsInfo>包裹 &amp; 附件</ceb:goodsInfo></ceb:LogisticsHead></ceb:Logistics>\n",
    .tail = REQUEST_END("CEB511"),
};

const struct form form_ceb621 = {
    .meaning = VARIANTS_FUNCTION,
    .variants = {"1", "2", "3"},
    .entries_max = 4,
    .head = REQUEST_START("CEB621"),
    .entry =
        "  <ceb:Inventory><ceb:InventoryHead>" APPLICATION "<ceb:orderNo>$order$</ceb:orderNo>"
        "<ceb:ebpCode>$code$</ceb:ebpCode><ceb:ebcCode>$trader$</ceb:ebcCode>"
        "<ceb:logisticsNo>$waybill$</ceb:logisticsNo><ceb:logisticsCode>$trader$</"
        "ceb:logisticsCode>"
        "<ceb:copNo>$list$</ceb:copNo><ceb:preNo></ceb:preNo><ceb:invtNo></ceb:invtNo>"
        "<ceb:ieFlag>I</ceb:ieFlag><ceb:declTime>$date$</ceb:declTime>"
        "<ceb:customsCode>$office$</ceb:customsCode><ceb:portCode>$office$</ceb:portCode>"
        "<ceb:ieDate>$date$</ceb:ieDate><ceb:agentCode>$code$</ceb:agentCode>"
        "<ceb:tradeMode>$mode$</ceb:tradeMode><ceb:trafMode>4</ceb:trafMode>"
        "<ceb:billNo>$bill$</ceb:billNo><ceb:country>601</ceb:country>"
        "<ceb:currency>142</ceb:currency><ceb:grossWeight>$weight$</ceb:grossWeight>"
        "</ceb:InventoryHead>\n"
        "    <ceb:InventoryList><ceb:gnum>1</ceb:gnum><ceb:gcode>$goods$</ceb:gcode>"
        "<ceb:gname><![CDATA[奶粉 <900g>]]></ceb:gname><ceb:qty>2</ceb:qty><ceb:unit>007</ceb:unit>"
        "<ceb:totalPrice>$amount$</ceb:totalPrice></ceb:InventoryList></ceb:Inventory>\n",
    .tail = REQUEST_END("CEB621"),
};

const struct form form_ceb312 = {
    .meaning = VARIANTS_STATUS,
    .variants = {"2", "120", "800"},
    .entries_max = 2,
    .head = RECEIPT_START("CEB312"),
    .entry = "<OrderReturn><guid>$answered_guid$</guid><ebpCode>$code$</ebpCode><ebcCode>$trader$</"
             "ebcCode>"
             "<orderNo>$order$</orderNo>" RECEIPT_RETURN "</OrderReturn>\n",
    .tail = "</CEB312Message>\n",
};

const struct form form_ceb412 = {
    .meaning = VARIANTS_STATUS,
    .variants = {"2", "120", "800"},
    .entries_max = 2,
    .head = RECEIPT_START("CEB412"),
    .entry = "<PaymentReturn><guid>$answered_guid$</guid><payCode>$code$</payCode>"
             "<payTransactionId>$payment$</payTransactionId>" RECEIPT_RETURN "</PaymentReturn>\n",
    .tail = "</CEB412Message>\n",
};

const struct form form_ceb512 = {
    .meaning = VARIANTS_STATUS,
    .variants = {"2", "120", "800"},
    .entries_max = 2,
    .head = RECEIPT_START("CEB512"),
    .entry = "<LogisticsReturn><guid>$answered_guid$</guid><logisticsCode>$trader$</logisticsCode>"
             "<logisticsNo>$waybill$</logisticsNo>" RECEIPT_RETURN "</LogisticsReturn>\n",
    .tail = "</CEB512Message>\n",
};

const struct form form_ceb622 = {
    .meaning = VARIANTS_STATUS,
    .variants = {"2", "120", "800"},
    .entries_max = 2,
    .head = RECEIPT_START("CEB622"),
    .entry = "<InventoryReturn><guid>$answered_guid$</guid><customsCode>$office$</customsCode>"
             "<ebpCode>$code$</ebpCode><ebcCode>$trader$</ebcCode><agentCode>$code$</agentCode>"
             "<copNo>$list$</copNo><preNo>$preentry$</preNo>" RECEIPT_RETURN "</InventoryReturn>\n",
    .tail = "</CEB622Message>\n",
};
