/* The Guangzhou cross-border platform (KJ, version 3.0), and its receipt DocRec. */
#include "bench/day/form.h"

#define KJ_START(type)                                                                             \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<InternationalTrade>\n<Head>"                     \
    "<MessageID>" type "_$code$_$id_time$$id_suffix$</MessageID><MessageType>" type                \
    "</MessageType><Sender>$code$</Sender><Receiver>KJPUBLICPT</Receiver>"                         \
    "<SendTime>$time$</SendTime><FunctionCode>BOTH</FunctionCode><SignerInfo></SignerInfo>"        \
    "<Version>3.0</Version></Head>\n<Declaration>\n"
#define KJ_OFFICES                                                                                 \
    "<DeclTime>$time$</DeclTime><OpType>$variant$</OpType><CustomsCode>$office$</CustomsCode>"     \
    "<CIQOrgCode>$inspection$</CIQOrgCode>"
#define KJ_END "</Declaration>\n</InternationalTrade>\n"

const struct form form_kj881111 = {
    .meaning = VARIANTS_FUNCTION,
    .variants = {"A", "M", "D"},
    .entries_max = 4,
    .head =
        KJ_START("KJ881111") "<OrderHead><DeclEntNo>$code$</DeclEntNo><EBEntNo>$trader$</EBEntNo>"
                             "<EBPEntNo>$code$</EBPEntNo>" KJ_OFFICES "</OrderHead>\n<OrderList>\n",
    .entry =
        "<OrderContent><OrderDetail><EntOrderNo>$order$</EntOrderNo><OrderStatus>0</OrderStatus>"
        "<PayStatus>0</PayStatus><OrderGoodTotal>$amount$</OrderGoodTotal>"
        "<OrderGoodTotalCurr>142</OrderGoodTotalCurr><OrderDate>$time$</OrderDate>"
        "<GoodsList><OrderGoodsList><Seq>1</Seq><GoodsName>护肤套装</GoodsName>"
        "<HSCode>$goods$</HSCode><Qty>1</Qty><Unit>140</Unit><Total>$amount$</Total>"
        "</OrderGoodsList></GoodsList></OrderDetail></OrderContent>\n",
    .tail = "</OrderList>\n<Notes>$serial$</Notes>\n" KJ_END,
};

const struct form form_kj881112 = {
    .meaning = VARIANTS_FUNCTION,
    .variants = {"A", "M", "D"},
    .entries_max = 4,
    .head = KJ_START(
        "KJ881112") "<PaymentHead><DeclEntNo>$code$</DeclEntNo><PayEntNo>$trader$</PayEntNo>"
                    "<PayEntName>$company$</PayEntName>" KJ_OFFICES
                    "</PaymentHead>\n<PaymentList>\n",
    .entry =
        "<PaymentDetail><EntPayNo>$payment$</EntPayNo><PayStatus>D</PayStatus>"
        "<PayAmount>$amount$</PayAmount><PayCurrCode>142</PayCurrCode><PayTime>$time$</PayTime>"
        "<EntOrderNo>$order$</EntOrderNo><EBPEntNo>$code$</EBPEntNo></PaymentDetail>\n",
    .tail = "</PaymentList>\n<Notes>$serial$</Notes>\n" KJ_END,
};

const struct form form_kj881113 = {
    .meaning = VARIANTS_FUNCTION,
    .variants = {"A", "M", "D"},
    .entries_max = 4,
    .head = KJ_START("KJ881113") "<WaybillHead><DeclEntNo>$code$</DeclEntNo>"
                                 "<EHSEntNo>$trader$</EHSEntNo>" KJ_OFFICES
                                 "</WaybillHead>\n<WaybillList>\n",
    .entry = "<WaybillDetail><EntWaybillNo>$waybill$</EntWaybillNo><WaybillStatus>0</WaybillStatus>"
             "<BillNo>$bill$</BillNo><GrossWeight>$weight$</GrossWeight><Qty>1</Qty>"
             "<EntOrderNo>$order$</EntOrderNo><EBPEntNo>$code$</EBPEntNo></WaybillDetail>\n",
    .tail = "</WaybillList>\n<Notes>$serial$</Notes>\n" KJ_END,
};

const struct form form_kjdocrec = {
    .variants = {""},
    .head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DocRec><Head>"
            "<MessageID><![CDATA[KJDOCREC_$code$_$id_time$$id_suffix$]]></MessageID>"
            "<MessageType><![CDATA[KJDOCREC]]></MessageType><Sender><![CDATA[$code$]]></Sender>"
            "<Receiver><![CDATA[$trader$]]></Receiver><SendTime><![CDATA[$time$]]></SendTime>"
            "<Version><![CDATA[3.0]]></Version></Head>"
            "<Declaration><OrgMessageID>$answered_type$_$code$_$answered_time$$answered_suffix$"
            "</OrgMessageID><OrgMessageType>$answered_type$</OrgMessageType>"
            "<OrgRecTime>$time$</OrgRecTime><RespondBy>02</RespondBy><Status>S</Status>"
            "<Notes>$serial$</Notes></Declaration></DocRec>\n",
    .entry = "",
    .tail = "",
};
