#!/bin/sh
# Eq. 1 and Eq. 3 in shell and awk: how small a program can be that `refimpl verify --program` judges.
in=$1 out=$2
awk -F, '$1 == "operation" { print $2 }' "$in/task.csv" | {
  read -r operation
  case $operation in
  emission) awk -F, '
    function refuse(name) { print "emission: " name " is wrong" > "/dev/stderr"; failed = 1; exit 1 }
    BEGIN {
      n = split("coal 20908 26.37 .94 coke 28435 29.5 .93 crude_oil 41816 20.1 .98 gasoline 43070 18.9 .98 " \
        "kerosene 43070 19.5 .98 diesel 42652 20.2 .98 fuel_oil 41816 21.1 .98 natural_gas 389310 15.3 .99", t, " ")
      for (i = 1; i < n; i += 4) ec[t[i]] = t[i + 1] * t[i + 2] * t[i + 3] * 44 / 12 * 1e-6
    }
    { sub(/\r$/, "") }
    NR == 1 { for (i = 1; i <= NF; i++) { name[i] = $i; at[$i] = i; if (!($i in ec) && $i !~ /^(code|province|year)$/) refuse($i) }
      if (!at["code"]) refuse("code"); if (!at["year"]) refuse("year"); text = "code,year,emission"; next }
    { e = 0; for (i = 1; i <= NF; i++) if (name[i] in ec) { if ($i !~ /^[0-9.]+([eE][-+]?[0-9]+)?$/) refuse(name[i]); e += $i * ec[name[i]] }
      if (seen[$at["code"], $at["year"]]++) refuse("code"); text = text sprintf("\n%s,%s,%.17g", $at["code"], $at["year"], e) }
    END { if (failed) exit 1; if (NR < 2) refuse("consumption"); print text }' "$in/consumption.csv" > "$out/emission.csv" ;;
  allocate_cells) awk -F, '
    function refuse(name) { print "allocate_cells: " name " is wrong" > "/dev/stderr"; failed = 1; exit 1 }
    FNR == 1 { for (i = 1; i <= NF; i++) at[FILENAME, $i] = i; next }
    FILENAME ~ /totals/ { c = $at[FILENAME, "code"]; if (c in total) refuse("code"); total[c] = $at[FILENAME, "total"]; if (total[c] < 0) refuse("total"); next }
    { k++; code[k] = $at[FILENAME, "code"]; w = $at[FILENAME, "weight"]; a = $at[FILENAME, "area_km2"]; if (w < 0) refuse("weight"); if (a <= 0) refuse("area_km2")
      share[k] = w * a; sum[code[k]] += w * a; cells[code[k]]++ }
    END { if (failed) exit 1; print "code,emission"
      for (i = 1; i <= k; i++) { c = code[i]; if (!(c in total)) printf "%s,\n", c
        else printf "%s,%.17g\n", c, sum[c] ? total[c] * share[i] / sum[c] : total[c] / cells[c] } }' "$in/totals.csv" "$in/cells.csv" > "$out/emission.csv" ;;
  *) exit 2 ;;
  esac
  status=$?
  [ $status -eq 0 ] || rm -f "$out/emission.csv"
  exit $status
}
