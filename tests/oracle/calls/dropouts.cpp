#include <backdrop/ops/ops.hpp>

#include "oracle/step.hpp"

namespace backdrop::oracle {

void dropout_calls(Vocabulary& v) {
  v["dropout"] = [](const Step& s) { return dropout(s[0], s.real("p"), s[1]); };
  v["feature_dropout"] = [](const Step& s) { return feature_dropout(s[0], s.real("p"), s[1]); };
  v["dropout1d"] = [](const Step& s) { return dropout1d(s[0], s.real("p"), s[1]); };
  v["dropout2d"] = [](const Step& s) { return dropout2d(s[0], s.real("p"), s[1]); };
  v["dropout3d"] = [](const Step& s) { return dropout3d(s[0], s.real("p"), s[1]); };
  v["alpha_dropout"] = [](const Step& s) { return alpha_dropout(s[0], s.real("p"), s[1]); };
  v["feature_alpha_dropout"] = [](const Step& s) { return feature_alpha_dropout(s[0], s.real("p"), s[1]); };
  v["variational_dropout"] = [](const Step& s) {
    return variational_dropout(s[0], s.real("p"), s[1], s.integer("time"));
  };
  v["drop_connect"] = [](const Step& s) { return drop_connect(s[0], s[1], s.real("p"), s[2]); };
  v["drop_path"] = [](const Step& s) {
    return drop_path(s[0], s.real("p"), s[1], s.flag("scale_by_keep", true));
  };
  v["gaussian_dropout"] = [](const Step& s) { return gaussian_dropout(s[0], s[1]); };
  v["drop_block"] = [](const Step& s) { return drop_block(s[0], s[1]); };
  v["zoneout"] = [](const Step& s) { return zoneout(s[0], s[1], s.real("p"), s[2]); };
}

}  // namespace backdrop::oracle
