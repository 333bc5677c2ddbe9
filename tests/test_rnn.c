/* Recurrent layers, attention and modules: initial parameters, printed text and outputs against PyTorch's (numbers made by torch 1.13 with
   manual_seed(7)), naive loops in double, gradcheck and gradgradcheck, hooks, losses as modules, hostile arguments, failing memory. */
#include "ctorch.h"
#include "test.h"

typedef struct { const char *name, *names; const double *p; int parameters; const double *y; int outputs; ct_shape shape; double after; const char *text; } reference;
static const double p_lstm[] = {0.0349225402, 0.355942905, 0.0550479293, 0.22590816, 0.325946152, 0.207700431, -0.0921126008, 0.191871226, 0.404104769, -0.267944455, -0.174305916, -0.0460435152, -0.217897415, -0.0209957957, 0.46345222, -0.335156143, -0.058948338, 0.352344632, -0.208607554, -0.232798934, 0.43830055, 0.295174658, 0.0724983811, 0.0484556556};
static const double y_lstm[] = {0.0317925029, 0.13135165, 0.126986206, 0.0999616534, -0.19139035, 0.0415833741, -0.220381215, -0.0140754636, 0.176041305, 0.154110581, -0.0649210438, -0.209190041, 0.0600445606, 0.230993196, 0.163232252, 0.260047704, -0.200954199, 0.0306984019, -0.199894845, -0.0412310809, 0.271716356, 0.118277751, -0.0479843765, -0.134911343};
static const double p_lstm_plain[] = {0.0349225402, -0.267238438, 0.351268351, -0.0549098253, 0.469919622, 0.194847524, 0.26527369, 0.126650572, -0.278553545, -0.266849518, -0.0865813494, 0.399403989, -0.232609749, -0.058632493, 0.0195767879, 0.00700587034, -0.117361605, -0.121927023, -0.205736458, 0.0278017521, -0.0268749595, 0.226432741, -0.327885509, -0.161242783};
static const double y_lstm_plain[] = {0.0538498648, 0.0112040434, 0.124223337, 0.0285360962, 0.0995191261, 0.0256468337, 0.0507631749, 0.0415459946, 0.0371065885, -0.0340652503, -0.0969903171, -0.0600253418, -0.119536579, 0.012796768, -0.104608737, -0.0450951271, -0.0672658384, 0.0739271343, 0.0763288066, 0.174594223, 0.0221189596, 0.14692536, 0.0426218398, 0.0533895977};
static const double p_gru[] = {0.0349225402, 0.351268351, -0.392213464, 0.26527369, -0.125797927, -0.0645424128, -0.000961244106, -0.285304606, 0.0920862556, -0.123750627, -0.346080244, -0.0987536311, 0.104963839, -0.278198481, 0.268771529, 0.0643241405, -0.459714174, 0.0420518517, -0.338584542, 0.42263639, 0.295713186, -0.46004796, 0.376615286, 0.0857489109};
static const double y_gru[] = {-0.113005713, 0.0896082968, -0.118962616, 0.102808103, 0.225701928, -0.164044887, 0.354223669, -0.197056428, 0.160115317, -0.207376331, -0.175649092, 0.476244211, -0.153036192, 0.212156802, -0.274167687, 0.187091827, 0.50746274, -0.185781017, 0.513716161, -0.28775984, 0.179411829, -0.322016418, -0.20446001, 0.501668334};
static const double p_rnn[] = {0.0349225402, 0.156890273, -0.292913973, 0.351268351, -0.213160992, -0.140714049, -0.392213464, 0.257194459, 0.0932312012, 0.26527369, 0.17208457, 0.24373275, -0.125797927, -0.247120082, 0.457538128, -0.0645424128, -0.408622205, -0.0297124982, -0.000961244106, -0.058632493, -0.391911745, -0.285304606, 0.287764132, 0.27376157};
static const double y_rnn[] = {0.21796608, 0.406953514, 0.604559124, 0.355916768, -0.0645367056, 0.280164272, -0.331287354, 0.281467706, 0.224763125, 0.19328998, 0.372603327, -0.239265338, 0.379014581, -0.0751018822, 0.129193187, 0.155341789, -0.375966996, 0.360229343, -0.278256387, 0.409148276, 0.175111324, 0.355333179, 0.415251702, -0.33608821};
static const double p_rnn_relu[] = {0.0349225402, -0.301196814, 0.156890273, -0.267238438, -0.292913973, 0.129736364, 0.351268351, 0.354943156, -0.213160992, -0.293680608, -0.140714049, 0.220380425, 0.469919622, -0.392213464, -0.0868272781, 0.257194459, 0.0209300518, 0.0932312012, 0.128589094, 0.26527369, 0.355942905, 0.17208457, 0.0690726638, 0.24373275};
static const double y_rnn_relu[] = {0.313622236, 0.0, 0.399246424, 1.13132024, 0.0954807252, 0.0, 0.925423145, 1.22402787, 0.12986818, 0.0, 1.07827413, 1.22024727, 0.144502819, 0.0, 1.21299493, 1.06759155, 0.185292304, 0.0, 1.30648196, 0.888494372};
static const double p_lstm_cell[] = {0.0349225402, -0.292913973, -0.213160992, 0.469919622, 0.0209300518, 0.355942905, -0.11125803, -0.266849518, 0.236862421, -0.395076275, -0.058632493, -0.285304606, 0.27376157, 0.168557465, -0.205736458, -0.353025377, -0.30438441, -0.327885509, -0.289188743, 0.104963839, 0.0998914242, -0.433713734, -0.467422843, 0.414942861};
static const double y_lstm_cell[] = {0.015515429, 0.0260877423, 0.155347422, 0.0117155053, -0.0189178921, 0.0274747759, 0.136815548, -0.0245592762};
static const double p_gru_cell[] = {0.0349225402, -0.267238438, 0.351268351, -0.293680608, 0.469919622, 0.257194459, 0.128589094, 0.17208457, -0.11125803, 0.240523994, 0.0575070977, -0.466889501, -0.395076275, 0.244731903, -0.391911745, -0.218367159, 0.27376157, 0.0920862556, -0.407808244, -0.123750627, -0.353025377, -0.45564431, 0.386804521, 0.0534907579};
static const double y_gru_cell[] = {0.291160285, -0.080865398, 0.109542683, -0.012101586, 0.200508296, -0.0805549994, 0.00692101056, -0.122331411};
static const double p_rnn_cell[] = {0.0349225402, -0.301196814, 0.156890273, -0.267238438, -0.292913973, 0.129736364, 0.351268351, 0.354943156, -0.213160992, -0.293680608, -0.140714049, 0.220380425, 0.469919622, -0.392213464, -0.0868272781, 0.257194459, 0.0209300518, 0.0932312012, 0.128589094, 0.26527369, 0.355942905, 0.17208457, 0.0690726638, 0.24373275};
static const double y_rnn_cell[] = {0.313622236, 0.0, 0.399246424, 1.13132024};
static const double p_conv1d[] = {0.0285141356, -0.245926172, 0.12810038, -0.0611871108, 0.1059293, -0.109968908, 0.289809883, -0.17404522, -0.0448336862, -0.114892542, -0.348601639, -0.320240974, -0.0708941817, 0.209998399, 0.0170893166, 0.310027182, 0.216595069, -0.315804094, 0.140506461, 0.0563975945, 0.3749488, -0.0908418074, -0.102713585, 0.196387023};
static const double y_conv1d[] = {-0.198838234, -0.0888625756, -0.201977268, -0.454320848, -0.28128919, -0.233669549, -0.00532242656, -0.442372799, -0.104472131, -0.136594653, 0.0513023585, -0.367388129, 0.0383912697, 0.0543825999, -0.398425162, -0.679361165, -0.00927311927, 0.21173802, -0.237484753, -0.094866991, 0.495634854, 0.424429625, 0.0483299345, 0.00264285505};
static const double p_conv1d_same[] = {0.0201625377, 0.0905806422, -0.169113964, 0.202804878, -0.123068556, -0.0812412947, 0.271308213, -0.0501297526, 0.0120839709, 0.0742409453, 0.205503732, 0.0398791209, -0.0642348528, -0.175942793, -0.154065639, 0.0332017392, 0.136752576, 0.230595991, -0.228097394, -0.00055497454, -0.0338514857, -0.226270348, -0.164720684, 0.16614069};
static const double y_conv1d_same[] = {0.109374046, 0.370514601, 0.0459072702, -0.229461864, 0.370291799, 0.0152636701, -0.534983158, -0.462846786, -0.0402577184, 0.20642142, 0.00042001676, 0.264290839, 0.132498145, -0.0312640816, 0.0740881339, 0.33121258, 0.246430963, 0.103352502, 0.378236502, 0.358902574, -0.2360892, -0.528836429, 0.0103550246, 0.100031391};
static const double p_conv3d[] = {0.0174612701, 0.0796058476, -0.133619219, -0.146456987, -0.0673419237, 0.177471578, -0.106580496, -0.0274549127, -0.213474035, -0.196106732, -0.0434136391, 0.0974237621, 0.0466156006, 0.0642945468, -0.193389714, 0.086042285, 0.121866375, -0.055629015, -0.0628989637, 0.120261997, -0.133424759, 0.228769064, -0.0432906747, 0.118431211};
static const double y_conv3d[] = {-0.148491204, 0.272538185, 0.0652745366, 0.273975253, -0.216152802, 0.271195889, -0.434456527, 0.079826802, -0.610216856, -0.206069693, -0.439027607, -0.0595571399, 0.247506246, 0.0120468512, -0.0201956183, 0.230048299, 0.161290854, -1.12949109, -0.225924045, -0.206854254, -0.0298911631, -0.1905853, 0.361431926, -0.887901783};
static const double p_convt2d[] = {0.0134416921, -0.102860123, 0.135203257, -0.0211348012, -0.150963038, 0.0749968439, 0.102103889, 0.02658608, -0.0484196469, -0.102710426, -0.0248423871, 0.189994469, -0.000369983027, 0.0211879574, -0.109813794, -0.0748601407, 0.0354440175, 0.164656401, -0.04763164, -0.135879532, -0.133206353, 0.148881137, -0.0380102918, 0.0888964832};
static const double y_convt2d[] = {-0.211355656, -0.0754600316, -0.0289235711, -0.105326951, 0.0905741453, -0.210284054, 0.198480129, 0.0797525346, 0.114753142, -0.157851458, 0.00913640112, -0.203960568, -0.194606662, 0.0527506024, -0.0195669308, 0.0986004248, 0.127484724, 0.150684759, 0.0819216967, 0.108375996, -0.11736235, 0.152496427, 0.0246891044, 0.147396773};
static const double p_convt1d[] = {0.0164626427, 0.0739587843, -0.138080969, 0.165589496, -0.138442367, 0.103888333, -0.184891194, 0.121242635, 0.178994268, -0.182329565, 0.0597036518, 0.216476783, -0.143656686, -0.125794068, 0.0271091051, 0.111658014, 0.232694745, 0.00644012261, 0.115367725, 0.0259498432, 0.00922858622, 0.0791671202, -0.0916845724, -0.0553247929};
static const double y_convt1d[] = {0.251708299, -0.0753041804, -0.0333545655, 0.00859508663, -0.116965353, -0.16208145, -0.182883829, -0.203686208, -0.166665643, 0.0370262414, 0.00597100705, -0.0250842292, 0.393889844, 0.40001595, 0.384076774, 0.368137658, 0.0787176341, -0.0430248305, -0.00770489872, 0.0276150443, -0.00285872631, 0.17800802, 0.135776609, 0.093545191};
static const double p_mha[] = {0.237084463, -0.178172991, -0.263604641, -0.2504448, 0.0865085125, -0.404800057, -0.401994199, -0.387027383, 0.325642735, 0.366013855, 0.407729179, -0.359951317, 0.284644216, -0.360250413, -0.117666438, -0.123781554, 0.0, 0.0, 0.024693964, -0.150727585, 0.0147997811, -0.0786713064, 0.167487025, -0.0414594337};
static const double y_mha[] = {0.0181936491, -0.0978297889, -0.0813195705, -0.0687300116, -0.150171816, 0.181069195, -0.0557400919, -0.0192582626, -0.00241246843, -0.107660688, -0.174241766, -0.143206596, -0.127567887, 0.151961207, -0.0717492476, -0.0376428999, 0.0447455458, -0.119805209, -0.0029168888, -0.0285574496, -0.0800306946, 0.127673343, -0.0485465787, -0.0188035537};
static const double p_mha_kv[] = {0.335288078, -0.251974672, -0.372793257, -0.354182452, 0.122341514, -0.572473764, -0.568505645, -0.54733938, 0.460528374, 0.517621756, 0.576616168, -0.544195294, 0.430341631, -0.544647455, -0.177894935, 0.0, 0.0, 0.458571941, 0.024693964, -0.150727585, 0.0147997811, -0.0786713064, 0.167487025, -0.0414594337};
static const double y_mha_kv[] = {0.0};
static const double p_encoder[] = {0.237084463, 0.377235264, 0.315222114, -0.240926951, -0.0709815249, 0.352678716, -0.0283264145, 0.407729179, 0.326158404, 0.0773475096, -0.0882705301, 0.42016232, 0.0, 0.0917374641, 0.0147997811, -0.188691095, 0.156509116, -0.331199169, -0.00069217768, -0.121425703, 0.186449334, -0.0411825702, -0.417265087, 0.0};
static const double y_encoder[] = {1.7118119, 0.320660025, 0.324711114, -0.903833091, 0.741193056, 1.28756857, 0.0397430286, -1.10981226, -0.604004562, -1.76864171, 1.03055656, 0.41290468, 0.890787065, 1.22069192, 0.0515654832, -1.10954833, 1.72549629, 0.103987411, 0.545808256, -0.846225023, -2.29451108, 0.767898262, 0.393925935, -0.324493408};
static const double p_encoder_first[] = {0.237084463, 0.377235264, 0.315222114, -0.240926951, -0.0709815249, 0.352678716, -0.0283264145, 0.407729179, 0.326158404, 0.0773475096, -0.0882705301, 0.42016232, 0.0, 0.0917374641, 0.0147997811, -0.188691095, 0.156509116, -0.331199169, -0.00069217768, -0.121425703, 0.186449334, -0.0411825702, -0.417265087, 0.0};
static const double y_encoder_first[] = {0.884211779, 1.08943784, 0.778755128, 0.102604419, 0.141326159, 0.346552134, 0.0358694196, -0.64028126, -0.411532938, -0.818438411, 0.711889207, 0.372906864, 0.695195675, -0.27823931, 0.626823843, -0.48513639, -0.503958106, -0.532027483, -0.381917059, -1.26005709, -0.591190815, 1.05640268, 0.771775603, -0.0128264427};
static const double p_encoders[] = {0.237084463, -0.139640346, 0.0557063371, -0.0199875496, -0.230130956, -0.393113166, 0.0, -0.273494363, 0.0, -0.104212798, -0.0872139782, 1.0, 0.370476872, -0.32537353, -0.111493722, -0.10063909, 0.054448124, 0.245363981, 0.112579666, -0.196967095, 0.177279457, 0.226308346, -0.0960989594, 0.0};
static const double y_encoders[] = {1.69310403, 0.120945983, 0.882487595, -0.708278418, 0.673606515, 1.32403183, 0.426132351, -1.08166468, -0.193279788, -1.73452175, 1.10126555, 0.379629344, 0.795548856, 1.26923394, 0.446766615, -1.07038605, 1.68700039, -0.04753346, 1.02573097, -0.655368268, -2.01401901, 0.792588592, 0.464278609, -0.598631799};
static const double p_prelu[] = {0.25, 0.25, 0.25};
static const double y_prelu[] = {0.716425359, 0.623564661, 0.530703962, 0.437843233, 0.344982535, 0.252121806, 0.159261107, 0.0664004013, -0.00661507761, -0.0298302546, -0.053045433, -0.0762606114, -0.0994757861, -0.122690961, -0.145906135, -0.169121325, -0.1923365, -0.215551674, -0.238766849, 0.952071905, 0.859211206, 0.766350448, 0.673489749, 0.580629051};
static const double p_bilinear[] = {0.0493879281, -0.425956607, 0.225159332, 0.221876353, -0.377932221, -0.105979174, 0.183474928, -0.190471724, 0.496768445, 0.501965404, 0.0720332637, -0.30145517, -0.0776542202, -0.198999718, 0.311664969, -0.603795767, 0.664566696, -0.554673612, -0.122792311, 0.363727897, 0.275555998, 0.0295995623, 0.131848827, 0.536982775};
static const double y_bilinear[] = {0.0};
static const double p_instance[] = {1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0};
static const double y_instance[] = {1.42735577, 0.580071092, -0.267213553, -1.11449826, 1.64748025, 0.780385375, -0.0867094845, -0.953804314, -1.8573755, 0.94504118, 0.0977566093, -0.74952805, -1.64203632, 1.10540926, 0.27474457, -0.555920064, -1.24501336, 1.41854274, 0.613241374, -0.192060053, -1.05913281, 1.57350767, 0.77755326, -0.0184010975};
static const double p_batch3[] = {1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0};
static const double y_batch3[] = {1.81874824, 1.04991388, 0.281079292, -0.487755209, 1.81874824, 1.04991364, 0.281079233, -0.487755179, -1.50630617, -1.77006042, 0.806506693, 0.542752385, 0.872172475, 0.103337944, -0.665496528, -1.43433106, 0.872172356, 0.103337862, -0.665496528, -1.43433094, -1.83103585, 0.745531201, 0.481776893, 0.218022674};
static const reference references[] = {
    {"lstm", "weight_ih_l0,weight_hh_l0,bias_ih_l0,bias_hh_l0,weight_ih_l0_reverse,weight_hh_l0_reverse,bias_ih_l0_reverse,bias_hh_l0_reverse,weight_ih_l1,weight_hh_l1,bias_ih_l1,bias_hh_l1,weight_ih_l1_reverse,weight_hh_l1_reverse,bias_ih_l1_reverse,bias_hh_l1_reverse", p_lstm, 736, y_lstm, 80, {{5, 2, 3}, 3}, 0.08798831701278687, "LSTM(3, 4, num_layers=2, bidirectional=True)"},
    {"lstm_plain", "weight_ih_l0,weight_hh_l0", p_lstm_plain, 112, y_lstm_plain, 40, {{2, 5, 3}, 3}, 0.6191614270210266, "LSTM(3, 4, bias=False, batch_first=True)"},
    {"gru", "weight_ih_l0,weight_hh_l0,bias_ih_l0,bias_hh_l0,weight_ih_l1,weight_hh_l1,bias_ih_l1,bias_hh_l1", p_gru, 228, y_gru, 40, {{5, 2, 3}, 3}, 0.08401864767074585, "GRU(3, 4, num_layers=2)"},
    {"rnn", "weight_ih_l0,weight_hh_l0,bias_ih_l0,bias_hh_l0,weight_ih_l1,weight_hh_l1,bias_ih_l1,bias_hh_l1", p_rnn, 76, y_rnn, 40, {{5, 2, 3}, 3}, 0.5920862555503845, "RNN(3, 4, num_layers=2)"},
    {"rnn_relu", "weight_ih_l0,weight_hh_l0,bias_ih_l0,bias_hh_l0", p_rnn_relu, 36, y_rnn_relu, 20, {{5, 3}, 2}, 0.38874197006225586, "RNN(3, 4)"},
    {"lstm_cell", "weight_ih,weight_hh,bias_ih,bias_hh", p_lstm_cell, 144, y_lstm_cell, 8, {{2, 3}, 2}, 0.035817086696624756, "LSTMCell(3, 4)"},
    {"gru_cell", "weight_ih,weight_hh,bias_ih,bias_hh", p_gru_cell, 108, y_gru_cell, 8, {{2, 3}, 2}, 0.21081125736236572, "GRUCell(3, 4)"},
    {"rnn_cell", "weight_ih,weight_hh,bias_ih,bias_hh", p_rnn_cell, 36, y_rnn_cell, 4, {{3}, 1}, 0.38874197006225586, "RNNCell(3, 4, nonlinearity=relu)"},
    {"conv1d", "weight,bias", p_conv1d, 42, y_conv1d, 84, {{2, 4, 7}, 3}, 0.23315048217773438, "Conv1d(4, 6, kernel_size=(3,), stride=(1,), padding=(1,), groups=2)"},
    {"conv1d_same", "weight", p_conv1d_same, 72, y_conv1d_same, 84, {{2, 4, 7}, 3}, 0.7737615704536438, "Conv1d(4, 6, kernel_size=(3,), stride=(1,), padding=same, bias=False)"},
    {"conv3d", "weight,bias", p_conv3d, 51, y_conv3d, 72, {{2, 2, 5, 6, 7}, 5}, 0.899403989315033, "Conv3d(2, 3, kernel_size=(2, 2, 2), stride=(2, 2, 2), dilation=(2, 2, 2))"},
    {"convt2d", "weight,bias", p_convt2d, 114, y_convt2d, 576, {{2, 4, 3, 4}, 4}, 0.6049638390541077, "ConvTranspose2d(4, 6, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), output_padding=(1, 1), groups=2)"},
    {"convt1d", "weight,bias", p_convt1d, 78, y_convt1d, 42, {{4, 3}, 2}, 0.6685574650764465, "ConvTranspose1d(4, 6, kernel_size=(3,), stride=(2,))"},
    {"mha", "in_proj_weight,in_proj_bias,out_proj.weight,out_proj.bias", p_mha, 288, y_mha, 48, {{3, 2, 8}, 3}, 0.7507110238075256, "MultiheadAttention(\n  (out_proj): NonDynamicallyQuantizableLinear(in_features=8, out_features=8, bias=True)\n)"},
    {"mha_kv", "q_proj_weight,k_proj_weight,v_proj_weight,in_proj_bias,bias_k,bias_v,out_proj.weight,out_proj.bias", p_mha_kv, 288, y_mha_kv, 0, {{0}, 1}, 0.726815938949585, "MultiheadAttention(\n  (out_proj): NonDynamicallyQuantizableLinear(in_features=8, out_features=8, bias=True)\n)"},
    {"encoder", "self_attn.in_proj_weight,self_attn.in_proj_bias,self_attn.out_proj.weight,self_attn.out_proj.bias,linear1.weight,linear1.bias,linear2.weight,linear2.bias,norm1.weight,norm1.bias,norm2.weight,norm2.bias", p_encoder, 413, y_encoder, 48, {{3, 2, 8}, 3}, 0.8441763520240784, "TransformerEncoderLayer(\n  (self_attn): MultiheadAttention(\n    (out_proj): NonDynamicallyQuantizableLinear(in_features=8, out_features=8, bias=True)\n  )\n  (linear1): Linear(in_features=8, out_features=5, bias=True)\n  (dropout): Dropout(p=0.0, inplace=False)\n  (linear2): Linear(in_features=5, out_features=8, bias=True)\n  (norm1): LayerNorm((8,), eps=1e-05, elementwise_affine=True)\n  (norm2): LayerNorm((8,), eps=1e-05, elementwise_affine=True)\n  (dropout1): Dropout(p=0.0, inplace=False)\n  (dropout2): Dropout(p=0.0, inplace=False)\n)"},
    {"encoder_first", "self_attn.in_proj_weight,self_attn.in_proj_bias,self_attn.out_proj.weight,self_attn.out_proj.bias,linear1.weight,linear1.bias,linear2.weight,linear2.bias,norm1.weight,norm1.bias,norm2.weight,norm2.bias", p_encoder_first, 413, y_encoder_first, 48, {{3, 2, 8}, 3}, 0.8441763520240784, "TransformerEncoderLayer(\n  (self_attn): MultiheadAttention(\n    (out_proj): NonDynamicallyQuantizableLinear(in_features=8, out_features=8, bias=True)\n  )\n  (linear1): Linear(in_features=8, out_features=5, bias=True)\n  (dropout): Dropout(p=0.0, inplace=False)\n  (linear2): Linear(in_features=5, out_features=8, bias=True)\n  (norm1): LayerNorm((8,), eps=1e-05, elementwise_affine=True)\n  (norm2): LayerNorm((8,), eps=1e-05, elementwise_affine=True)\n  (dropout1): Dropout(p=0.0, inplace=False)\n  (dropout2): Dropout(p=0.0, inplace=False)\n)"},
    {"encoders", "layers.0.self_attn.in_proj_weight,layers.0.self_attn.in_proj_bias,layers.0.self_attn.out_proj.weight,layers.0.self_attn.out_proj.bias,layers.0.linear1.weight,layers.0.linear1.bias,layers.0.linear2.weight,layers.0.linear2.bias,layers.0.norm1.weight,layers.0.norm1.bias,layers.0.norm2.weight,layers.0.norm2.bias,layers.1.self_attn.in_proj_weight,layers.1.self_attn.in_proj_bias,layers.1.self_attn.out_proj.weight,layers.1.self_attn.out_proj.bias,layers.1.linear1.weight,layers.1.linear1.bias,layers.1.linear2.weight,layers.1.linear2.bias,layers.1.norm1.weight,layers.1.norm1.bias,layers.1.norm2.weight,layers.1.norm2.bias,norm.weight,norm.bias", p_encoders, 842, y_encoders, 48, {{3, 2, 8}, 3}, 0.8441763520240784, "TransformerEncoder(\n  (layers): ModuleList(\n    (0): TransformerEncoderLayer(\n      (self_attn): MultiheadAttention(\n        (out_proj): NonDynamicallyQuantizableLinear(in_features=8, out_features=8, bias=True)\n      )\n      (linear1): Linear(in_features=8, out_features=5, bias=True)\n      (dropout): Dropout(p=0.0, inplace=False)\n      (linear2): Linear(in_features=5, out_features=8, bias=True)\n      (norm1): LayerNorm((8,), eps=1e-05, elementwise_affine=True)\n      (norm2): LayerNorm((8,), eps=1e-05, elementwise_affine=True)\n      (dropout1): Dropout(p=0.0, inplace=False)\n      (dropout2): Dropout(p=0.0, inplace=False)\n    )\n    (1): TransformerEncoderLayer(\n      (self_attn): MultiheadAttention(\n        (out_proj): NonDynamicallyQuantizableLinear(in_features=8, out_features=8, bias=True)\n      )\n      (linear1): Linear(in_features=8, out_features=5, bias=True)\n      (dropout): Dropout(p=0.0, inplace=False)\n      (linear2): Linear(in_features=5, out_features=8, bias=True)\n      (norm1): LayerNorm((8,), eps=1e-05, elementwise_affine=True)\n      (norm2): LayerNorm((8,), eps=1e-05, elementwise_affine=True)\n      (dropout1): Dropout(p=0.0, inplace=False)\n      (dropout2): Dropout(p=0.0, inplace=False)\n    )\n  )\n  (norm): LayerNorm((8,), eps=1e-05, elementwise_affine=True)\n)"},
    {"prelu", "weight", p_prelu, 3, y_prelu, 24, {{2, 3, 4}, 3}, 0.5349225401878357, "PReLU(num_parameters=3)"},
    {"bilinear", "weight,bias", p_bilinear, 28, y_bilinear, 0, {{0}, 1}, 0.7652736902236938, "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)"},
    {"instance", "weight,bias,running_mean,running_var,num_batches_tracked", p_instance, 13, y_instance, 120, {{2, 3, 4, 5}, 4}, 0.5349225401878357, "InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)"},
    {"batch3", "weight,bias,running_mean,running_var,num_batches_tracked", p_batch3, 13, y_batch3, 48, {{2, 3, 2, 2, 2}, 5}, 0.5349225401878357, "BatchNorm3d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)"},
};
static ct_module *build(int k)
{
    switch (k) {
    case 0: return ct_nn_lstm(3, 4, 2, .bidirectional = true);
    case 1: return ct_nn_lstm(3, 4, .no_bias = true, .batch_first = true);
    case 2: return ct_nn_gru(3, 4, 2);
    case 3: return ct_nn_rnn(3, 4, 2);
    case 4: return ct_nn_rnn(3, 4, .relu = true);
    case 5: return ct_nn_lstm_cell(3, 4);
    case 6: return ct_nn_gru_cell(3, 4);
    case 7: return ct_nn_rnn_cell(3, 4, .relu = true);
    case 8: return ct_nn_conv1d(4, 6, 3, .padding = 1, .groups = 2);
    case 9: return ct_nn_conv1d(4, 6, 3, .padding_same = true, .no_bias = true);
    case 10: return ct_nn_conv3d(2, 3, 2, .stride = 2, .dilation = 2);
    case 11: return ct_nn_conv_transpose2d(4, 6, 3, .stride = 2, .padding = 1, .output_padding = 1, .groups = 2);
    case 12: return ct_nn_conv_transpose1d(4, 6, 3, .stride = 2);
    case 13: return ct_nn_multihead_attention(8, 2);
    case 14: return ct_nn_multihead_attention(8, 2, .kdim = 8, .vdim = 6, .add_bias_kv = true, .batch_first = true);
    case 15: return ct_nn_transformer_encoder_layer(8, 2, 5, .dropout = CT_REALLY_ZERO);
    case 16: return ct_nn_transformer_encoder_layer(8, 2, 5, .dropout = CT_REALLY_ZERO, .gelu = true, .norm_first = true, .batch_first = true);
    case 17: return ct_nn_transformer_encoder(8, 2, 5, .dropout = CT_REALLY_ZERO, .num_layers = 2, .final_norm = true);
    case 18: return ct_nn_prelu(.num_parameters = 3);
    case 19: return ct_nn_bilinear(2, 3, 4);
    case 20: return ct_nn_instance_norm2d(3, .affine = true, .track_running_stats = true);
    case 21: return ct_nn_batch_norm3d(3);
    default: return NULL;
    }
}

static double val(int64_t i, int seed) { return (double)((i * 7919 + seed * 104729) % 2003) / 1001.5 - 1; }
static ct_tensor *filled(ct_dtype dtype, ct_shape s, int seed)
{
    ct_tensor *t = (ct_zeros_dtype)(CT_F64, s);
    for (int64_t i = 0; i < ct_numel(t); i++) ct_data_f64(t)[i] = val(i, seed);
    return ct_detach(ct_to(t, dtype));
}
#define FILL(seed, ...) filled(CT_F64, CT_SHAPE(__VA_ARGS__), seed)
#define LEAF(seed, ...) ct_requires_grad_(FILL(seed, __VA_ARGS__), true)
/* 24 samples of a larger array, all of a smaller one */
static void compare(const char *name, const char *what, const double *have, int64_t n, const double *want, double tolerance)
{
    int64_t m = n > 24 ? 24 : n;
    for (int64_t k = 0; k < m; k++) {
        double v = have[n > 24 ? k * n / 24 : k];
        if (!CHECKF(test_near(v, want[k], tolerance), "%s: %s %d is %.9g, expected %.9g", name, what, (int)k, v, want[k])) return;
    }
}
static void modules(void)
{
    static double all[6000];
    for (int k = 0; k < (int)(sizeof references / sizeof *references); k++) {
        const reference *r = &references[k];
        char names[2048] = "";
        int64_t n = 0;
        ct_scope_begin();
        ct_manual_seed(7);
        ct_module *m = build(k);
        CHECK(m != NULL);
        CHECK_NEAR(ct_item(ct_rand(1)), r->after, 1e-12); /* as many draws as torch */
        ct_params *state = ct_state_dict(m);
        for (int i = 0; state && i < state->count; i++) {
            strcat(strcat(names, i ? "," : ""), state->name[i]);
            CHECK(ct_copy_out(state->tensor[i], all + n, CT_F64, ct_numel(state->tensor[i])));
            n += ct_numel(state->tensor[i]);
        }
        CHECK_TEXT(names, r->names);
        CHECK_INT(n, r->parameters);
        compare(r->name, "parameter", all, n, r->p, 3e-7);
        char *text = ct_module_text(m);
        CHECK_TEXT(text, r->text);
        ct_free_text(text);
        if (r->outputs) {
            ct_tensor *y = ct_forward(m, filled(CT_F32, r->shape, 3));
            CHECK_INT(ct_numel(y), r->outputs);
            if (y && ct_copy_out(y, all, CT_F64, ct_numel(y))) compare(r->name, "output", all, ct_numel(y), r->y, 1e-5);
        }
        ct_module_free(m);
        ct_scope_end();
    }
}

/* naive: one sample, one direction */
static double sig(double x) { return 1 / (1 + exp(-x)); }
static void naive(int kind, int64_t L, int64_t I, int64_t H, const double *x, const double *w, const double *u, const double *b, const double *d, double *h, double *c, double *y)
{
    double a[64], r[64], next[16];
    int64_t G = kind == 2 ? 4 : kind == 3 ? 3 : 1;
    for (int64_t t = 0; t < L; t++) {
        for (int64_t g = 0; g < G * H; g++) {
            a[g] = b[g], r[g] = d[g];
            for (int64_t i = 0; i < I; i++) a[g] += w[g * I + i] * x[t * I + i];
            for (int64_t i = 0; i < H; i++) r[g] += u[g * H + i] * h[i];
        }
        for (int64_t k = 0; k < H; k++) {
            if (kind == 0) next[k] = tanh(a[k] + r[k]);
            if (kind == 1) next[k] = a[k] + r[k] > 0 ? a[k] + r[k] : 0;
            if (kind == 2) {
                c[k] = sig(a[H + k] + r[H + k]) * c[k] + sig(a[k] + r[k]) * tanh(a[2 * H + k] + r[2 * H + k]);
                next[k] = sig(a[3 * H + k] + r[3 * H + k]) * tanh(c[k]);
            }
            if (kind == 3) {
                double z = sig(a[H + k] + r[H + k]), n = tanh(a[2 * H + k] + sig(a[k] + r[k]) * r[2 * H + k]);
                next[k] = (1 - z) * n + z * h[k];
            }
        }
        for (int64_t k = 0; k < H; k++) h[k] = y[t * H + k] = next[k];
    }
}
static ct_tensor *(*const layers[4])(ct_rnn_opts) = {ct_rnn_tanh_with, ct_rnn_relu_with, ct_lstm_with, ct_gru_with};
static ct_rnn_opts options(ct_tensor *x, ct_tensor *h, const ct_params *p)
{
    ct_rnn_opts o;
    memset(&o, 0, sizeof o);
    o.input = x, o.hx = h, o.params = p;
    return o;
}
static void against_naive(int kind, int64_t H, ct_dtype dtype, double tolerance)
{
    enum { L = 5, I = 3 };
    int64_t G = kind == 2 ? 4 : kind == 3 ? 3 : 1;
    double y[L * 16], h[16], c[16];
    ct_tensor *x = FILL(1, L, I), *w = FILL(2, G * H, I), *u = FILL(3, G * H, H), *b = FILL(4, G * H), *d = FILL(5, G * H), *h0 = FILL(6, 1, H), *c0 = FILL(7, 1, H), *hn = NULL, *cn = NULL;
    memcpy(h, ct_data_f64(h0), (size_t)H * sizeof *h), memcpy(c, ct_data_f64(c0), (size_t)H * sizeof *c);
    naive(kind, L, I, H, ct_data_f64(x), ct_data_f64(w), ct_data_f64(u), ct_data_f64(b), ct_data_f64(d), h, c, y);
    ct_tensor *p[4] = {ct_to(w, dtype), ct_to(u, dtype), ct_to(b, dtype), ct_to(d, dtype)};
    ct_params params = {4, NULL, p};
    ct_rnn_opts o = options(ct_to(x, dtype), ct_to(h0, dtype), &params);
    o.h_n = &hn;
    if (kind == 2) o.cx = ct_to(c0, dtype), o.c_n = &cn;
    ct_tensor *out = layers[kind](o);
    CHECK_ARRAY(out, tolerance, y, L * H);
    CHECK(ct_dtype_of(out) == dtype);
    CHECK_ARRAY(hn, tolerance, h, H);
    if (kind == 2) CHECK_ARRAY(cn, tolerance, c, H);
}

/* what gradcheck is given: kind, direction and the like */
typedef struct { int kind; bool both, no_biases, batch_first; int64_t layers; int part; } how;
static ct_tensor *run(ct_tensor *const *in, int count, void *user)
{
    const how *k = (const how *)user;
    int first = k->kind == 2 ? 3 : 2;
    ct_tensor *p[16], *h = NULL, *c = NULL;
    for (int i = first; i < count; i++) p[i - first] = in[i];
    ct_params params = {count - first, NULL, p};
    ct_rnn_opts o = options(in[0], in[1], &params);
    o.bidirectional = k->both, o.no_biases = k->no_biases, o.batch_first = k->batch_first, o.num_layers = k->layers, o.h_n = &h;
    if (k->kind == 2) o.cx = in[2], o.c_n = &c;
    ct_tensor *y = layers[k->kind](o);
    return k->part == 0 ? y : k->part == 1 ? h : k->part == 2 && c ? c : ct_add(ct_sum(y), ct_sum(ct_mul(h, h)));
}
static void recurrent_gradients(void)
{
    static const how all[] = {{0, false, false, false, 1, 3}, {1, true, false, false, 1, 3}, {2, false, false, false, 1, 0}, {2, true, true, true, 1, 3}, {2, false, false, false, 1, 2}, {3, false, false, false, 1, 3}, {3, true, true, false, 1, 1}, {2, false, true, false, 2, 2}};
    for (int k = 0; k < (int)(sizeof all / sizeof *all); k++) {
        how o = all[k];
        int64_t G = o.kind == 2 ? 4 : o.kind == 3 ? 3 : 1, H = 2, dirs = o.both ? 2 : 1;
        ct_scope_begin();
        ct_tensor *in[16];
        int n = 0;
        in[n++] = o.batch_first ? LEAF(1, 2, 3, 3) : LEAF(1, 3, 2, 3);
        in[n++] = LEAF(2, o.layers * dirs, 2, H);
        if (o.kind == 2) in[n++] = LEAF(3, o.layers * dirs, 2, H);
        for (int64_t l = 0; l < o.layers * dirs; l++) {
            in[n++] = LEAF((int)(5 + l), G * H, l < dirs ? 3 : H * dirs), in[n++] = LEAF((int)(15 + l), G * H, H);
            if (!o.no_biases) in[n++] = LEAF((int)(25 + l), G * H), in[n++] = LEAF((int)(35 + l), G * H);
        }
        CHECKF(ct_gradcheck(run, in, n, &o), "gradcheck %d", k);
        CHECKF(ct_gradgradcheck(run, in, n, &o), "gradgradcheck %d", k);
        ct_scope_end();
    }
}
static ct_tensor *attend(ct_tensor *const *in, int count, void *user) { return (void)count, (void)user, ct_scaled_dot_product_attention(in[0], in[1], in[2], in[3]); }
static ct_tensor *attend_causal(ct_tensor *const *in, int count, void *user) { return (void)count, (void)user, ct_scaled_dot_product_attention(in[0], in[1], in[2], .is_causal = true, .scale = 0.3); }
static ct_tensor *attend_heads(ct_tensor *const *in, int count, void *user)
{
    ct_tensor *w = NULL, *y = ct_multi_head_attention_forward(in[0], in[1], in[1], 4, 2, in[2], in[3], .add_zero_attn = true, .out_proj_weight = in[4], .out_proj_bias = in[5], .attn_weights = &w);
    return (void)count, (void)user, ct_add(ct_sum(y), ct_sum(ct_mul(w, w)));
}
static void attention(void)
{
    enum { L = 3, S = 4, E = 2 };
    ct_tensor *q = LEAF(1, L, E), *k = LEAF(2, S, E), *v = LEAF(3, S, 5), *mask = LEAF(4, L, S);
    double want[L * 5];
    for (int i = 0; i < L; i++) { /* the definition */
        double w[S], sum = 0;
        for (int s = 0; s < S; s++) {
            w[s] = ct_at(mask, i, s);
            for (int e = 0; e < E; e++) w[s] += ct_at(q, i, e) * ct_at(k, s, e) / sqrt(2.0);
            sum += w[s] = exp(w[s]);
        }
        for (int d = 0; d < 5; d++) {
            want[i * 5 + d] = 0;
            for (int s = 0; s < S; s++) want[i * 5 + d] += w[s] / sum * ct_at(v, s, d);
        }
    }
    CHECK_ARRAY(ct_scaled_dot_product_attention(q, k, v, mask), 1e-12, want, L * 5);
    CHECK(ct_gradcheck(attend, (ct_tensor *[]){q, k, v, mask}, 4, NULL) && ct_gradgradcheck(attend, (ct_tensor *[]){q, k, v, mask}, 4, NULL));
    CHECK(ct_gradcheck(attend_causal, (ct_tensor *[]){q, k, v}, 3, NULL) && ct_gradgradcheck(attend_causal, (ct_tensor *[]){q, k, v}, 3, NULL));
    ct_tensor *heads[] = {LEAF(1, 3, 2, 4), LEAF(2, 4, 2, 4), LEAF(3, 12, 4), LEAF(4, 12), LEAF(5, 4, 4), LEAF(6, 4)};
    CHECK(ct_gradcheck(attend_heads, heads, 6, NULL) && ct_gradgradcheck(attend_heads, heads, 6, NULL));
    ct_tensor *causal = ct_scaled_dot_product_attention(q, k, v, .is_causal = true), *yes = ct_tril(ct_ones_dtype(CT_BOOL, L, S), 0);
    CHECK_SAME(causal, ct_scaled_dot_product_attention(q, k, v, yes), 1e-14);
    CHECK_SAME(ct_select(causal, 0, 0), ct_select(v, 0, 0), 1e-14); /* the first sees itself alone */
    CHECK(isnan(ct_item(ct_sum(ct_scaled_dot_product_attention(q, k, v, ct_zeros_dtype(CT_BOOL, L, S))))));
    CHECK_SHAPE(ct_scaled_dot_product_attention(FILL(1, 2, 1, 3, 2), FILL(2, 3, 4, 2), FILL(3, 3, 4, 6)), "(2, 3, 3, 6)");
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_scaled_dot_product_attention(q, k, v, mask, .is_causal = true));
    CHECK_ERROR(CT_ERR_SHAPE, ct_scaled_dot_product_attention(q, v, v));
    ct_tensor *flat = ct_ravel(q), *wide = FILL(1, L, S + 1);
    CHECK_ERROR(CT_ERR_SHAPE, ct_scaled_dot_product_attention(flat, q, q));
    CHECK_ERROR(CT_ERR_DTYPE, ct_scaled_dot_product_attention(q, k, ct_to(v, CT_F32)));
    CHECK_ERROR(CT_ERR_DTYPE, ct_scaled_dot_product_attention(q, k, v, ct_ones_dtype(CT_I64, L, S)));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_scaled_dot_product_attention(q, k, v, .dropout_p = 2));
    CHECK_ERROR(CT_ERR_SHAPE, ct_scaled_dot_product_attention(q, k, v, wide));
    CHECK_QUIET(ct_scaled_dot_product_attention(q, NULL, v));
}
static void misuse(void)
{
    ct_tensor *x = FILL(1, 4, 2, 3), *h = FILL(2, 1, 2, 5), *w = FILL(3, 20, 3), *u = FILL(4, 20, 5), *b = FILL(5, 20), *c = NULL;
    CHECK(ct_lstm(x, h, ct_params_of(w, u, b, b), .c_n = &c) && c);
    CHECK(ct_lstm(x, NULL, ct_params_of(w, u), .no_biases = true) != NULL);
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_lstm(x, h, ct_params_of(w, u)));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_lstm(x, h, ct_params_of(w, u, b, b), .bidirectional = true));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_lstm(x, h, ct_params_of(w, u, b, b), .num_layers = -1));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_lstm(x, h, ct_params_of(w, u, b, b), .dropout = 1.5));
    CHECK_ERROR(CT_ERR_SHAPE, ct_lstm(x, h, ct_params_of(u, u, b, b)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_lstm(x, h, ct_params_of(w, b, b, b)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_lstm(x, h, ct_params_of(w, u, b, h)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_lstm(x, x, ct_params_of(w, u, b, b)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_lstm(x, h, ct_params_of(w, u, b, b), .batch_first = true));
    CHECK_ERROR(CT_ERR_SHAPE, ct_lstm(ct_narrow(x, 0, 0, 0), h, ct_params_of(w, u, b, b)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_gru(x, h, ct_params_of(w, u, b, b)));
    CHECK_ERROR(CT_ERR_DTYPE, ct_lstm(ct_to(x, CT_F32), h, ct_params_of(w, u, b, b)));
    CHECK_ERROR(CT_ERR_DTYPE, ct_lstm(ct_to(x, CT_I64), h, ct_params_of(w, u, b, b)));
    CHECK_ERROR(CT_ERR_DTYPE, ct_lstm(x, h, ct_params_of(w, ct_to(u, CT_F32), b, b)));
    ct_tensor *one = ct_select(x, 0, 0), *state = ct_select(h, 0, 0);
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_lstm_cell(one, state, w, u, b));
    CHECK_ERROR(CT_ERR_SHAPE, ct_lstm_cell(x, h, w, u, b, b));
    CHECK_QUIET(ct_lstm(NULL, h, ct_params_of(w, u, b, b)));
    CHECK_QUIET(ct_lstm(x, h, ct_params_of(w, u, NULL, b)));
    CHECK_SHAPE(ct_lstm(FILL(1, 4, 0, 3), NULL, ct_params_of(w, u, b, b)), "(4, 0, 5)"); /* no samples */
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_nn_lstm(0, 3));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_nn_gru(3, 4, -2));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_nn_multihead_attention(7, 2));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_nn_transformer_encoder_layer(7, 2));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_nn_conv1d(3, 4, 0));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_nn_conv_transpose2d(3, 4, 3, .groups = 2));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_nn_conv1d(4, 4, 3, .stride = 2, .padding_same = true));
}
static ct_tensor *twice(ct_module *m, ct_tensor *x, ct_tensor *y, void *user)
{
    (void)m;
    ++*(int *)user;
    return ct_mul(y ? y : x, 2);
}
static ct_tensor *watch(ct_module *m, ct_tensor *x, ct_tensor *y, void *user) { return (void)m, (void)x, (void)y, ++*(int *)user, NULL; }
static void hooks_and_losses(void)
{
    int calls = 0;
    ct_module *net = ct_nn_sequential(ct_nn_linear(3, 2), ct_nn_relu()), *linear = ct_module_child(net, 0);
    ct_tensor *x = ct_randn(4, 3), *plain = ct_forward(net, x);
    int a = ct_register_forward_hook(linear, twice, &calls), b = ct_register_forward_pre_hook(net, watch, &calls);
    CHECK(a > 0 && b > 0);
    CHECK_SAME(ct_forward(net, x), ct_mul(plain, 2), 1e-6);
    CHECK_INT(calls, 2);
    CHECK(ct_remove_forward_hook(linear, a) && !ct_remove_forward_hook(linear, a) && ct_remove_forward_hook(net, b));
    a = ct_register_forward_pre_hook(net, twice, &calls);
    CHECK_SAME(ct_forward(net, x), ct_relu(ct_linear(ct_mul(x, 2), ct_get_parameter(net, "0.weight"), ct_get_parameter(net, "0.bias"))), 1e-6);
    CHECK_SAME(ct_forward(net, x), ct_relu(ct_linear(ct_mul(x, 2), ct_get_parameter(net, "0.weight"), ct_get_parameter(net, "0.bias"))), 1e-6);
    ct_module_free(net);

    ct_tensor *t = ct_tensor_i64(0, 2, 1, 1), *w = ct_tensor_of(1, 2, 3), *p = ct_rand(4, 3), *q = ct_rand(4, 3);
    ct_module *m = ct_nn_cross_entropy_loss(.weight = w, .label_smoothing = 0.1);
    CHECK_TEXT(m->type, "CrossEntropyLoss");
    CHECK_INT(ct_state_dict(m)->count, 1);
    CHECK_SAME(ct_forward2(m, x, t), ct_cross_entropy(x, t, .weight = w, .label_smoothing = 0.1), 0);
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_forward(m, x));
    CHECK_QUIET(ct_forward2(m, x, NULL));
    ct_module_free(m);
#define LOSS(make, want)                                                                                              \
    m = make;                                                                                                         \
    CHECK_SAME(ct_forward2(m, p, q), want, 0);                                                                        \
    ct_module_free(m);
    LOSS(ct_nn_mse_loss(), ct_mse_loss(p, q))
    LOSS(ct_nn_mse_loss(.reduction = CT_SUM), ct_mse_loss(p, q, .reduction = CT_SUM))
    LOSS(ct_nn_l1_loss(), ct_l1_loss(p, q))
    LOSS(ct_nn_smooth_l1_loss(.beta = 0.2), ct_smooth_l1_loss(p, q, .beta = 0.2))
    LOSS(ct_nn_huber_loss(.delta = 0.3), ct_huber_loss(p, q, .delta = 0.3))
    LOSS(ct_nn_kl_div_loss(.batchmean = true), ct_kl_div(p, q, .batchmean = true))
    LOSS(ct_nn_bce_loss(), ct_binary_cross_entropy(p, q))
    LOSS(ct_nn_bce_with_logits_loss(.pos_weight = w), ct_binary_cross_entropy_with_logits(p, q, .pos_weight = w))
    m = ct_nn_nll_loss(.reduction = CT_NONE_REDUCED);
    CHECK_SAME(ct_forward2(m, x, t), ct_nll_loss(x, t, .reduction = CT_NONE_REDUCED), 0);
    ct_module_free(m);
    m = ct_nn_bilinear(3, 3, 2);
    CHECK_SAME(ct_forward2(m, p, q), ct_bilinear(p, q, ct_get_parameter(m, "weight"), ct_get_parameter(m, "bias")), 0);
    ct_module_free(m);
    m = ct_nn_relu();
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_forward2(m, p, q));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_forward_rnn(m, p));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_forward_attention(m, p));
    ct_module_free(m);
}
/* states carried over the pieces of a sequence give what the whole gives; the encoder's masks reach attention */
static void pieces(void)
{
    ct_module *m = ct_nn_lstm(3, 4, 2, .batch_first = true), *cell = ct_nn_gru_cell(3, 4);
    ct_tensor *x = ct_randn(2, 6, 3), *h = NULL, *c = NULL, *whole = ct_forward_rnn(m, x, .h_n = &h, .c_n = &c), *a, *b, *h1 = NULL, *c1 = NULL, *h2 = NULL, *c2 = NULL;
    a = ct_forward_rnn(m, ct_narrow(x, 1, 0, 2), .h_n = &h1, .c_n = &c1);
    b = ct_forward_rnn(m, ct_narrow(x, 1, 2, 4), h1, c1, .h_n = &h2, .c_n = &c2);
    CHECK_SAME(ct_cat(1, a, b), whole, 1e-6);
    CHECK_SAME(h2, h, 1e-6);
    CHECK_SAME(c2, c, 1e-6);
    CHECK_SHAPE(h, "(2, 2, 4)");
    ct_no_grad_begin(); /* keeps one step of memory */
    CHECK_SAME(ct_forward(m, x), ct_detach(whole), 1e-6);
    ct_no_grad_end();
    CHECK_SHAPE(ct_forward_rnn(cell, ct_randn(5, 3), .h_n = &h), "(5, 4)");
    ct_module_free(m), ct_module_free(cell);
    m = ct_eval(ct_nn_transformer_encoder(4, 2, 6, .num_layers = 2, .batch_first = true));
    x = ct_randn(2, 5, 4);
    ct_tensor *future = ct_triu(ct_ones_dtype(CT_BOOL, 5, 5), 1), *y = ct_forward_attention(m, x, .attn_mask = future);
    CHECK_SAME(ct_narrow(y, 1, 0, 3), ct_forward_attention(m, ct_narrow(x, 1, 0, 3), .attn_mask = ct_triu(ct_ones_dtype(CT_BOOL, 3, 3), 1)), 1e-5);
    CHECK_SAME(ct_get_parameter(m, "layers.0.linear1.weight"), ct_get_parameter(m, "layers.1.linear1.weight"), 0);
    ct_module_free(m);
}
/* a step counter: y_t = x_1 + ... + x_t; Adam finds it */
static void learns(void)
{
    ct_manual_seed(1);
    ct_module *m = ct_nn_sequential(ct_nn_gru(1, 12, .batch_first = true), ct_nn_linear(12, 1));
    ct_optim *opt = ct_optim_adam(ct_parameters(m), .lr = 0.02);
    double first = 0, last = 0;
    for (int k = 0; k < 150; k++) {
        ct_scope_begin();
        ct_tensor *x = ct_rand(16, 8, 1), *loss = ct_mse_loss(ct_forward(m, x), ct_cumsum(x, 1));
        ct_zero_grad(opt), ct_backward(loss), ct_step(opt);
        last = ct_item(loss);
        if (!k) first = last;
        ct_scope_end();
    }
    CHECKF(last < first / 50, "loss %g after %g", last, first);
    ct_optim_free(opt), ct_module_free(m);
}

/* every allocation fails, and its second try after the caches were emptied: one report, nothing leaks */
static int64_t allowed = INT64_MAX;
static void *meagre(size_t bytes, void *user)
{
    (void)user;
    allowed--;
    return allowed >= 0 || allowed < -2 ? malloc(bytes) : NULL;
}
static void give(void *p, size_t bytes, void *user) { (void)bytes, (void)user, free(p); }
static bool life(void)
{
    bool ok = false;
    ct_scope_begin();
    if (!ct_scope_depth()) return false;
    ct_module *m = ct_nn_sequential(ct_nn_lstm(2, 3, 2, .bidirectional = true, .dropout = 0.5), ct_nn_transformer_encoder_layer(6, 2, 4));
    ct_tensor *x = m ? ct_randn(3, 2, 2) : NULL, *loss = ct_sum(ct_square(ct_forward(m, x))), *w = m ? ct_get_parameter(m, "0.weight_hh_l0") : NULL, *g;
    ok = loss && ct_backward(loss, .retain_graph = true);
    g = ok ? ct_grad(loss, w, .create_graph = true) : NULL;
    g = g ? ct_grad(ct_sum(ct_square(g)), w) : NULL;
    ok = g != NULL;
    ct_module_free(m);
    ct_scope_end();
    ct_scope_unwind(0);
    return ok;
}
static void starving(void)
{
    ct_allocator host = {meagre, give, NULL};
    ct_shutdown();
    CHECK(ct_set_allocator(&host));
    ct_set_num_threads(1);
    CHECK(life()), ct_shutdown();
    int64_t n = 0;
    for (bool done = false; n < 8000 && !done; n++) {
        test_expect();
        allowed = n;
        done = life() && allowed >= 0;
        allowed = INT64_MAX;
        test_expecting = false;
        bool clean = !ct_memory_stats().tensors && !ct_memory_stats().nodes;
        CHECKF(clean && (done ? test_reports == 0 : test_reports == 1 && test_error.code == CT_ERR_MEMORY), "allocation %d fails: %d reports, last %s from %s: %s; %d tensors, %d nodes", (int)n, test_reports,
               ct_error_name(test_error.code), test_function, test_message, (int)ct_memory_stats().tensors, (int)ct_memory_stats().nodes);
        ct_shutdown();
        CHECKF(ct_memory_stats().live_bytes == 0, "allocation %d fails: %d bytes are left", (int)n, (int)ct_memory_stats().live_bytes);
    }
    printf("recurrent and attention layers survive each of %d allocations failing\n", (int)n - 1);
    ct_clear_error();
}
int main(void)
{
    test_init();
    modules();
    for (int kind = 0; kind < 4; kind++)
        for (int64_t H = 1; H <= 16; H += 5) {
            ct_scope_begin();
            against_naive(kind, H, CT_F64, 1e-12), against_naive(kind, H, CT_F32, 2e-6), against_naive(kind, H, CT_BF16, 0.06);
            ct_scope_end();
        }
    recurrent_gradients();
    ct_scope_begin();
    attention(), misuse(), hooks_and_losses(), pieces();
    ct_scope_end();
    learns();
    starving();
    return test_done();
}
