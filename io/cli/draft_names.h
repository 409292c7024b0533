/* The names by which dialects call what Kouan routes by. Names are compared without regard to case
 * and to `_`, `-` and `.`; one with a `/` is a place's name behind that of the place around it. The
 * sources are the families of docs/profiles.md. */
#ifndef KOUAN_IO_CLI_DRAFT_NAMES_H
#define KOUAN_IO_CLI_DRAFT_NAMES_H

/* slot, names; a slot may have several rows */
#define DRAFT_NAME_LIST(X)                                                                         \
    X(MESSAGE_ID, "messageid msgid guid uuid copmsgid documentid interchangeid transactionid "     \
                  "eventid messageidentification messageidentifier head/id header/id")             \
    X(MESSAGE_TYPE, "messagetype msgtype documenttype doctype eventtype typename head/type "       \
                    "header/type")                                                                 \
    X(FUNCTION, "functioncode function apptype opertype optype actiontype action operation "       \
                "declarationtype")                                                                 \
    X(SENDER, "sender senderid sendid sendercode from fromid dxpid messagesender head/from "       \
              "header/from sender/id sender/code sender/identifier originator")                    \
    X(RECEIVER, "receiver receiverid receiveid receivercode recipient messagerecipient to toid "   \
                "recipient/id receiver/id receiver/code")                                          \
    X(REFERENCE, "orgmessageid originalmessageid correlationid correlationidentifier "             \
                 "refmessageid referencemessageid inreplyto relatedmessageid")                     \
    X(CUSTOMS_OFFICE, "customscode customsoffice custommaster declcustoms customscd "              \
                      "declarationofficeid dclplccuscd mastercuscd declareport office "            \
                      "customsofficeofdeparture/referencenumber")                                  \
    X(EXIT_OFFICE, "ieport exitoffice entryexitoffice exitcustoms iepcuscd impexpportcd")          \
    X(TRANSIT_OFFICE, "transitoffice transitcustoms transitdestination/id")                        \
    X(PORT, "portcode port unlocode unlocationcode unlocationid locationcode portofloading "       \
            "portofdischarge loadingport dischargeport pol pod destinationport despportcode")      \
    X(INSPECTION_OFFICE, "ciqorgcode ciqcode inspectionoffice inspectionorg orgcode")              \
    X(TRADE_MODE, "trademode tradetype supvmodecd supervisionmode")                                \
    X(TRANSPORT_MODE, "trafmode transportmode transportmodecode trspmodecd modeoftransport")       \
    X(GOODS_CODE, "gcode hscode hsnumber hsno codets commoditycode goodscode gdecd tariffcode "    \
                  "harmonizedsystemcode harmonisedsystemsubheadingcode")                           \
    X(TRADER, "tradecode tradecoscc ebccode agentcode ownercode traderid traderno eori "           \
              "consigneecode consignorcode declarantcode consignee/code consignor/code "           \
              "declarant/id declarant/identificationnumber")                                       \
    X(STATUS, "returnstatus status statuscode channel responsecode resultcode manageresult")       \
    X(TRANSIT, "transit declTrnRel transitflag")                                                   \
    X(SENT_AT, "sendtime senttime sentat senddate senddatetime apptime createtime creattime "      \
               "createdatetime createddatetime eventcreateddatetime messagetime issuedatetime "    \
               "preparationdateandtime timestamp messagecreatetime")                               \
    X(KEY_ORDER, "orderno ordernumber ordernum orderid purchaseorder purchaseordernumber")         \
    X(KEY_PAYMENT, "paytransactionid payno paymentno paymentid entpayno paytransactionno")         \
    X(KEY_WAYBILL, "logisticsno waybillno waybillnumber waybill airwaybill awb awbno hawb hawbno " \
                   "expressno housebillno airwaybillnumber")                                       \
    X(KEY_BILL, "billno billnumber bill billoflading billofladingnumber blno bl masterbillno "     \
                "mawb mawbno transportdocumentreference transportdocumentnumber "                  \
                "transportcontractdocument/id carrierbookingreference")                            \
    X(KEY_LIST, "listno inventoryno")                                                              \
    X(KEY_CLIENT_SEQ, "clientseqno copno lrn localreferencenumber functionalreferenceid "          \
                      "etpsinnerinvtno etpspreentno")                                              \
    X(KEY_UNIFIED, "seqno preno cusciqno unifiedno")                                               \
    X(KEY_ENTRY, "entryid entryno declarationno mrn invtno decno movementreferencenumber "         \
                 "declaration/id customsdeclarationno")                                            \
    X(KEY_HANDBOOK, "manualno emsno putrecno handbookno accountbookno")                            \
    X(KEY_CONTAINER, "containerno containernumber containerid container contano contno "           \
                     "equipmentreference equipmentid transportequipment/id "                       \
                     "containeridentificationnumber")                                              \
    X(KEY_VOYAGE,                                                                                  \
      "voyageno voyagenumber voyage voyageid flightno flightnumber carriervoyagenumber "           \
      "journeyid")

#endif
